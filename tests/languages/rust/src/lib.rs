//! Appends a message and watches the job that extracts from it: one call of each shape that the generated code has.

/// The contract.
pub mod v1 {
    tonic::include_proto!("structmem.v1");
}

use tonic::{body::Body, client::GrpcService, codegen::{Body as HttpBody, Bytes, StdError}, Status};
use v1::{memory_service_client::MemoryServiceClient, AppendMessagesRequest, MessageInput, WatchJobRequest};

/// Over any transport.
pub async fn append_and_watch<T>(transport: T) -> Result<(), Status>
where
    T: GrpcService<Body>,
    T::Error: Into<StdError>,
    T::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
    <T::ResponseBody as HttpBody>::Error: Into<StdError> + Send,
{
    let mut memory = MemoryServiceClient::new(transport);
    let message = MessageInput { speaker: "Ada".into(), text: "I planted a lemon tree today.".into(), ..Default::default() };
    let request = AppendMessagesRequest {
        namespace: "languages".into(),
        session: "rust".into(),
        create_namespace: true,
        messages: vec![message],
        ..Default::default()
    };
    let written = memory.append_messages(request).await?.into_inner();
    let request = WatchJobRequest { namespace: "languages".into(), job_id: written.job_id, ..Default::default() };
    let mut watched = memory.watch_job(request).await?.into_inner();
    while watched.message().await?.is_some() {}
    Ok(())
}
