// Appends a message and watches the job that extracts from it: one call of each shape that the generated code has.
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	structmemv1 "structmem/v1"
)

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, target string) error {
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	memory := structmemv1.NewMemoryServiceClient(connection)
	written, err := memory.AppendMessages(ctx, &structmemv1.AppendMessagesRequest{
		Namespace: "languages", Session: "go", CreateNamespace: true,
		Messages: []*structmemv1.MessageInput{{Speaker: "Ada", Text: "I planted a lemon tree today."}},
	})
	if err != nil {
		return err
	}
	watched, err := memory.WatchJob(ctx, &structmemv1.WatchJobRequest{Namespace: "languages", JobId: written.GetJobId()})
	if err != nil {
		return err
	}
	for {
		if _, err := watched.Recv(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
