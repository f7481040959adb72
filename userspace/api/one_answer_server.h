// For tests: a plain HTTP server on the loopback that gives one answer and closes.
#pragma once

#include "base/fd.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <thread>
#include <utility>

namespace neuwerk::api {

class OneAnswerServer {
public:
	// `answer`: the bytes that follow a request, "" to close without a word.
	explicit OneAnswerServer(std::string answer) : answer_(std::move(answer))
	{
		listener_ = Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
		sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
		socklen_t size = sizeof(address);
		auto *generic = reinterpret_cast<sockaddr *>(&address);
		REQUIRE(bind(listener_.get(), generic, size) == 0);
		REQUIRE(listen(listener_.get(), 1) == 0);
		REQUIRE(getsockname(listener_.get(), generic, &size) == 0);
		port_ = ntohs(address.sin_port);
		thread_ = std::thread([this] { serve(); });
	}
	~OneAnswerServer()
	{
		shutdown(listener_.get(), SHUT_RDWR); // wakes accept
		thread_.join();
	}
	[[nodiscard]] std::string url() const
	{
		return text("http://127.0.0.1:", port_, "/authorize");
	}

private:
	void serve()
	{
		const Fd connection(accept(listener_.get(), nullptr, nullptr));
		char request[4096];
		if (connection && recv(connection.get(), request, sizeof(request), 0) > 0)
			(void)!send(connection.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
	}

	std::string answer_;
	Fd listener_;
	std::uint16_t port_ = 0;
	std::thread thread_;
};

} // namespace neuwerk::api
