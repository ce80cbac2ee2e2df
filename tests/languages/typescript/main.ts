// Appends a message and watches the job that extracts from it: one call of each shape that the generated code has.
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { MemoryService } from "./generated/structmem/v1/memory_service_pb.js";

const memory = createClient(MemoryService, createGrpcTransport({ baseUrl: process.argv[2] ?? "http://127.0.0.1:7600" }));
const written = await memory.appendMessages({
  namespace: "languages",
  session: "typescript",
  createNamespace: true,
  messages: [{ speaker: "Ada", text: "I planted a lemon tree today." }],
});
for await (const { job } of memory.watchJob({ namespace: "languages", jobId: written.jobId })) {
  console.log(job?.state);
}
