import com.structmem.v1.AppendMessagesRequest;
import com.structmem.v1.MemoryServiceGrpc;
import com.structmem.v1.MessageInput;
import com.structmem.v1.WatchJobRequest;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;

/** Appends a message and watches the job that extracts from it: one call of each shape that the generated code has. */
final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    var channel = Grpc.newChannelBuilder(arguments[0], InsecureChannelCredentials.create()).build();
    var memory = MemoryServiceGrpc.newBlockingStub(channel);
    var message = MessageInput.newBuilder().setSpeaker("Ada").setText("I planted a lemon tree today.");
    var written = memory.appendMessages(AppendMessagesRequest.newBuilder()
        .setNamespace("languages").setSession("java").setCreateNamespace(true).addMessages(message).build());
    memory.watchJob(WatchJobRequest.newBuilder().setNamespace("languages").setJobId(written.getJobId()).build())
        .forEachRemaining(watched -> System.out.println(watched.getJob().getState()));
    channel.shutdown();
  }
}
