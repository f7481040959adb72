// Binding, accepting and closing.
#include "api/listeners.h"

#include "base/address.h"
#include "base/files.h"
#include "base/log.h"
#include "base/text.h"

#include <boost/asio/post.hpp>

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace neuwerk::api {

namespace asio = boost::asio;
using boost::system::error_code;
using Local = asio::local::stream_protocol;

namespace {

// Whether somebody answers at `path`.
bool is_served(const std::string &path)
{
	asio::io_context context;
	Local::socket socket(context);
	error_code error;
	(void)socket.connect(Local::endpoint(path), error);
	return !error;
}

} // namespace

Listeners::Listeners(Host &host, std::vector<std::unique_ptr<Loop>> &loops, std::function<TlsContext()> tls)
    : host_(host), loops_(loops), tls_(std::move(tls)), tcp_(loops.front()->context),
      unix_(loops.front()->context), tcp_retry_(loops.front()->context), unix_retry_(loops.front()->context)
{
}

Listeners::~Listeners()
{
	close();
}

Result<> Listeners::open(Endpoint bind, const std::string &unix_socket)
{
	Result<> opened = open_tcp(bind);
	if (opened && !unix_socket.empty())
		opened = open_unix(unix_socket);
	if (!opened) {
		close();
		return opened;
	}
	accept_tcp();
	if (unix_.is_open())
		accept_unix();
	return {};
}

Result<> Listeners::open_tcp(Endpoint bind)
{
	const asio::ip::tcp::endpoint local(asio::ip::address_v4(bind.address), bind.port);
	error_code error;
	(void)tcp_.open(local.protocol(), error);
	if (!error)
		(void)tcp_.set_option(asio::socket_base::reuse_address(true), error);
	if (!error)
		(void)tcp_.bind(local, error);
	if (!error)
		(void)tcp_.listen(asio::socket_base::max_listen_connections, error);
	if (error)
		return fail(ErrorKind::unavailable,
			    text("http bind ", format_endpoint(bind), ": ", error.message()));
	port_ = tcp_.local_endpoint().port();
	return {};
}

Result<> Listeners::open_unix(const std::string &path)
{
	const auto refused = [&](std::string_view why) {
		return fail(ErrorKind::unavailable, text("api socket ", path, ": ", why));
	};
	if (path.size() >= sizeof(sockaddr_un{}.sun_path))
		return refused(
			text("the path is longer than ", sizeof(sockaddr_un{}.sun_path) - 1, " bytes"));
	struct stat found {};
	if (lstat(path.c_str(), &found) == 0) {
		if (!S_ISSOCK(found.st_mode))
			return refused("a file that is no socket stands there");
		if (is_served(path))
			return refused("another process serves it");
		(void)unlink(path.c_str()); // left by a process that is gone
	}
	error_code error;
	(void)unix_.open(Local(), error);
	if (!error)
		(void)unix_.bind(Local::endpoint(path), error);
	if (error)
		return refused(error.message());
	unix_path_ = path;
	// Before listen(): nobody can connect while the mode is not yet 0600.
	if (chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0)
		return tl::unexpected(system_error("api socket", path, errno));
	(void)unix_.listen(asio::socket_base::max_listen_connections, error);
	if (error)
		return refused(error.message());
	return {};
}

std::uint16_t Listeners::port() const
{
	return port_;
}

void Listeners::close()
{
	error_code ignored;
	(void)tcp_.close(ignored);
	(void)unix_.close(ignored);
	tcp_retry_.cancel();
	unix_retry_.cancel();
	if (!unix_path_.empty())
		(void)unlink(unix_path_.c_str());
	unix_path_.clear();
}

Loop &Listeners::next_loop()
{
	return *loops_[next_++ % loops_.size()];
}

// A full server closes what comes; the log says it once per time that it is full.
bool Listeners::has_room(std::size_t reserve_count)
{
	const bool is_full = host_.connection_count.load() >= host_.limits.connection_count + reserve_count;
	if (is_full && !was_full_)
		log::warning(text("api: new connections are closed: ", host_.connection_count.load(),
				  " are open, which is the limit"));
	was_full_ = is_full;
	return !is_full;
}

void Listeners::begin(Loop &loop, std::shared_ptr<Session> session)
{
	asio::post(loop.context, [session = std::move(session)] { session->start(); });
}

void Listeners::accept_tcp()
{
	Loop &loop = next_loop();
	tcp_.async_accept(loop.context, [this, &loop](error_code error, TcpSocket socket) {
		if (!tcp_.is_open())
			return;
		if (error) {
			tcp_retry_.expires_after(retry);
			tcp_retry_.async_wait([this](error_code cancelled) {
				if (!cancelled && tcp_.is_open())
					accept_tcp();
			});
			return;
		}
		if (has_room(0)) {
			error_code ignored;
			(void)socket.set_option(asio::ip::tcp::no_delay(true), ignored);
			const auto peer = socket.remote_endpoint(ignored).address().to_string();
			begin(loop,
			      std::make_shared<Session>(host_, loop, tls_transport(std::move(socket), tls_()),
							false, peer));
		}
		accept_tcp();
	});
}

void Listeners::accept_unix()
{
	Loop &loop = next_loop();
	unix_.async_accept(loop.context, [this, &loop](error_code error, LocalSocket socket) {
		if (!unix_.is_open())
			return;
		if (error) {
			unix_retry_.expires_after(retry);
			unix_retry_.async_wait([this](error_code cancelled) {
				if (!cancelled && unix_.is_open())
					accept_unix();
			});
			return;
		}
		if (has_room(local_reserve_count))
			begin(loop, std::make_shared<Session>(host_, loop, local_transport(std::move(socket)),
							      true, "local"));
		accept_unix();
	});
}

} // namespace neuwerk::api
