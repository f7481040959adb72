// For tests: a client that sends exactly the bytes it is given, over TLS or over the Unix socket.
#pragma once

#include "base/fd.h"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <csignal>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace neuwerk::api {

struct Reply {
	int status = 0;                             // 0: the connection ended before a header
	std::map<std::string, std::string> headers; // names in lower case
	std::string body;
};

// OpenSSL writes to sockets without MSG_NOSIGNAL. Only the thread of the client is spared: a server that lets
// SIGPIPE happen still ends the test.
class NoBrokenPipe {
public:
	NoBrokenPipe()
	{
		sigemptyset(&broken_);
		sigaddset(&broken_, SIGPIPE);
		pthread_sigmask(SIG_BLOCK, &broken_, &before_);
	}
	~NoBrokenPipe()
	{
		const timespec now{};
		(void)sigtimedwait(&broken_, nullptr, &now);
		pthread_sigmask(SIG_SETMASK, &before_, nullptr);
	}

private:
	sigset_t broken_, before_;
};

// Blocks; a server that does not answer fails the test after 20 s instead of hanging it.
class TestClient {
public:
	explicit TestClient(std::uint16_t port)
	{
		sockaddr_in address{
			.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
		open(AF_INET, reinterpret_cast<const sockaddr *>(&address), sizeof(address));
		context_.reset(SSL_CTX_new(TLS_client_method()));
		tls_.reset(SSL_new(context_.get()));
		SSL_set_fd(tls_.get(), fd_.get());
	}
	explicit TestClient(const std::string &unix_path)
	{
		sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
		std::copy(unix_path.begin(), unix_path.end(), address.sun_path);
		open(AF_UNIX, reinterpret_cast<const sockaddr *>(&address), sizeof(address));
	}

	[[nodiscard]] SSL *tls()
	{
		return tls_.get();
	}
	[[nodiscard]] bool is_connected() const
	{
		return is_connected_;
	}
	bool handshake()
	{
		const NoBrokenPipe guard;
		return SSL_connect(tls_.get()) == 1;
	}
	// False when the peer has closed.
	bool send(std::string_view bytes)
	{
		if (tls_) {
			const NoBrokenPipe guard;
			return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
		}
		return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
		       static_cast<ssize_t>(bytes.size());
	}
	// Empty: the end.
	std::string receive()
	{
		const NoBrokenPipe guard; // reading may write: alerts
		std::array<char, 16384> buffer;
		const auto count =
			tls_ ? static_cast<ssize_t>(SSL_read(tls_.get(), buffer.data(), buffer.size()))
			     : recv(fd_.get(), buffer.data(), buffer.size(), 0);
		return count > 0 ? std::string(buffer.data(), static_cast<std::size_t>(count)) : "";
	}
	// Reads on until `pending_` holds `what`; false at the end.
	bool receive_until(std::string_view what)
	{
		while (pending_.find(what) == std::string::npos) {
			const std::string more = receive();
			if (more.empty())
				return false;
			pending_ += more;
		}
		return true;
	}
	std::string &pending()
	{
		return pending_;
	}
	// One response with Content-Length; 100 Continue counts as one.
	Reply reply(bool is_head = false)
	{
		Reply reply;
		if (!receive_until("\r\n\r\n"))
			return reply;
		const std::size_t end = pending_.find("\r\n\r\n");
		read_header(pending_.substr(0, end + 2), reply);
		pending_.erase(0, end + 4);
		const auto length = reply.headers.find("content-length");
		const std::size_t bytes =
			is_head || length == reply.headers.end() ? 0 : std::stoul(length->second);
		while (pending_.size() < bytes) {
			const std::string more = receive();
			if (more.empty())
				break;
			pending_ += more;
		}
		reply.body = pending_.substr(0, bytes);
		pending_.erase(0, bytes);
		return reply;
	}
	Reply ask(std::string_view bytes)
	{
		(void)send(bytes);
		return reply();
	}
	// Whether the server closes, without another byte.
	bool ends()
	{
		return pending_.empty() && receive().empty();
	}
	// Ends the TCP connection with a reset.
	void reset()
	{
		const linger hard{.l_onoff = 1, .l_linger = 0};
		setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		fd_.reset();
	}
	[[nodiscard]] int fd() const
	{
		return fd_.get();
	}

private:
	void open(int family, const sockaddr *address, socklen_t size)
	{
		fd_ = Fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
		const timeval patience{.tv_sec = 20, .tv_usec = 0};
		setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		is_connected_ = connect(fd_.get(), address, size) == 0;
	}
	static void read_header(std::string_view text, Reply &reply)
	{
		reply.status = std::stoi(std::string(text.substr(9, 3)));
		text.remove_prefix(text.find("\r\n") + 2);
		while (!text.empty()) {
			const std::string_view line = text.substr(0, text.find("\r\n"));
			text.remove_prefix(line.size() + 2);
			std::string name(line.substr(0, line.find(':')));
			std::transform(name.begin(), name.end(), name.begin(), ::tolower);
			reply.headers[name] = line.substr(line.find(':') + 2);
		}
	}

	struct Free {
		void operator()(SSL *tls) const
		{
			SSL_free(tls);
		}
		void operator()(SSL_CTX *context) const
		{
			SSL_CTX_free(context);
		}
	};
	Fd fd_;
	std::unique_ptr<SSL_CTX, Free> context_;
	std::unique_ptr<SSL, Free> tls_; // none: the Unix socket
	bool is_connected_ = false;
	std::string pending_; // received, not yet asked for
};

} // namespace neuwerk::api
