// The two doors of the server: TCP for HTTPS, and the Unix socket of this machine's administrator.
#pragma once

#include "api/session.h"
#include "base/result.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace neuwerk::api {

// Accepts on the first loop's thread and hands the connections round.
class Listeners {
public:
	static constexpr std::size_t local_reserve_count =
		64; // connections of the Unix socket above the limit
	static constexpr std::chrono::milliseconds retry{
		100}; // after an accept that failed: no descriptor free

	Listeners(Host &host, std::vector<std::unique_ptr<Loop>> &loops, std::function<TlsContext()> tls);
	~Listeners();
	// Before the loops run. Nothing stays open after an error.
	[[nodiscard]] Result<> open(Endpoint bind, const std::string &unix_socket);
	[[nodiscard]] std::uint16_t port() const;
	void close(); // on the first loop's thread; removes the socket's file

private:
	[[nodiscard]] Result<> open_tcp(Endpoint bind);
	[[nodiscard]] Result<> open_unix(const std::string &path);
	void accept_tcp();
	void accept_unix();
	void begin(Loop &loop, std::shared_ptr<Session> session);
	[[nodiscard]] bool has_room(std::size_t reserve_count);
	Loop &next_loop();

	Host &host_;
	std::vector<std::unique_ptr<Loop>> &loops_;
	std::function<TlsContext()> tls_;
	boost::asio::ip::tcp::acceptor tcp_;
	boost::asio::local::stream_protocol::acceptor unix_;
	boost::asio::steady_timer tcp_retry_, unix_retry_;
	std::string unix_path_; // ours to remove
	std::uint16_t port_ = 0;
	std::size_t next_ = 0;
	bool was_full_ = false;
};

} // namespace neuwerk::api
