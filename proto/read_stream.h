// Reading a gRPC server stream until it ends or the reader has enough; both clients of streams share it.
#pragma once

#include <grpcpp/grpcpp.h>

namespace neuwerk::v1 {

// Hands every message of the stream to `take` until it says false. OK also when the reader stopped it.
template <typename Message, typename Take>
grpc::Status read_stream(grpc::ClientContext &context, grpc::ClientReader<Message> &stream, const Take &take)
{
	Message message;
	while (stream.Read(&message))
		if (!take(message)) {
			context.TryCancel();
			(void)stream.Finish(); // says CANCELLED, which is what we asked for
			return grpc::Status::OK;
		}
	return stream.Finish();
}

} // namespace neuwerk::v1
