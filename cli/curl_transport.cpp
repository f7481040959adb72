// HTTP by libcurl; the only file of neuwerkctl that knows it.
#include "transport.h"

#include "base/text.h"

#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace neuwerk::cli {

namespace {

std::string lower(std::string_view words)
{
	std::string out(words);
	std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
	return out;
}

std::string_view trimmed(std::string_view words)
{
	constexpr std::string_view blanks = " \t\r\n";
	const auto start = words.find_first_not_of(blanks);
	if (start == std::string_view::npos)
		return {};
	return words.substr(start, words.find_last_not_of(blanks) - start + 1);
}

// Whoever reads over a shoulder, or pastes a debug log into a ticket, must not get in.
std::string redacted(std::string_view line)
{
	for (const std::string_view name : {"authorization:", "cookie:", "set-cookie:"})
		if (lower(line.substr(0, name.size())) == name)
			return text(line.substr(0, name.size()), " <redacted>");
	return std::string(line);
}

// One exchange in progress: what curl's callbacks write to.
struct Call {
	const TransportOptions &options;
	Response response;
	const std::function<void()> *opened = nullptr;
	const std::function<bool(std::string_view)> *take = nullptr;
	bool stopped = false; // by `take`, or by an answer that is too long
	bool too_long = false;
	std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
	std::chrono::seconds shown{0};
};

std::size_t on_header(char *bytes, std::size_t, std::size_t count, void *context)
{
	auto &call = *static_cast<Call *>(context);
	const std::string_view line = trimmed({bytes, count});
	if (line.starts_with("HTTP/")) { // also of an interim answer (100 Continue)
		call.response.headers.clear();
		const auto blank = line.find(' ');
		call.response.status = 0;
		if (blank != std::string_view::npos)
			call.response.status = std::atoi(std::string(line.substr(blank + 1, 3)).c_str());
		return count;
	}
	const auto colon = line.find(':');
	if (colon != std::string_view::npos)
		call.response.headers.emplace_back(lower(line.substr(0, colon)),
						   std::string(trimmed(line.substr(colon + 1))));
	else if (line.empty() && call.opened && call.response.status == 200)
		(*call.opened)();
	return count;
}

std::size_t on_body(char *bytes, std::size_t, std::size_t count, void *context)
{
	auto &call = *static_cast<Call *>(context);
	if (call.take && call.response.status == 200) {
		call.stopped = !(*call.take)({bytes, count});
		return call.stopped ? 0 : count;
	}
	call.too_long = call.response.body.size() + count > Transport::answer_limit_bytes;
	if (call.too_long)
		return 0;
	call.response.body.append(bytes, count);
	return count;
}

int on_debug(CURL *, curl_infotype type, char *bytes, std::size_t count, void *context)
{
	const auto &call = *static_cast<Call *>(context);
	const char *lead = type == CURLINFO_HEADER_OUT ? "> " : type == CURLINFO_HEADER_IN ? "< " : nullptr;
	if (!lead)
		return 0;
	std::string_view rest(bytes, count);
	while (!rest.empty()) {
		const auto end = rest.find('\n');
		if (const auto line = trimmed(rest.substr(0, end)); !line.empty())
			call.options.debug(lead + redacted(line));
		rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
	}
	return 0;
}

int on_progress(void *context, curl_off_t, curl_off_t, curl_off_t, curl_off_t)
{
	auto &call = *static_cast<Call *>(context);
	const auto waited = std::chrono::duration_cast<std::chrono::seconds>(
		std::chrono::steady_clock::now() - call.start);
	if (waited > call.shown) {
		call.shown = waited;
		call.options.progress(waited);
	}
	return 0;
}

class CurlTransport final : public Transport {
public:
	explicit CurlTransport(TransportOptions options)
	    : options_(std::move(options)), curl_(curl_easy_init())
	{
	}
	~CurlTransport() override
	{
		curl_easy_cleanup(curl_);
	}

	Result<Response> exchange(const Request &request) override
	{
		Call call{.options = options_};
		return run(request, call);
	}

	Result<Response> stream(const Request &request, const std::function<void()> &opened,
				const std::function<bool(std::string_view)> &take) override
	{
		Call call{.options = options_, .opened = &opened, .take = &take};
		return run(request, call);
	}

private:
	Result<Response> run(const Request &request, Call &call);
	void prepare(const Request &request, Call &call);
	[[nodiscard]] tl::unexpected<Error> error_of(CURLcode code, const Call &call) const;
	[[nodiscard]] Result<> look_at_socket() const;

	TransportOptions options_;
	CURL *curl_;
	char words_[CURL_ERROR_SIZE] = {};
};

Result<> CurlTransport::look_at_socket() const
{
	const std::string &socket = options_.target.socket;
	if (socket.empty() || access(socket.c_str(), R_OK | W_OK) == 0)
		return {};
	if (errno == EACCES)
		return fail(ErrorKind::forbidden, text("may not open ", socket, ": only root may"));
	return fail(ErrorKind::unavailable, text("neuwerkd is not running: there is no socket ", socket));
}

void CurlTransport::prepare(const Request &request, Call &call)
{
	const Target &target = options_.target;
	const bool is_local = !target.socket.empty();
	curl_easy_reset(curl_);
	words_[0] = '\0';
	curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, words_);
	curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, is_local ? "http" : "https");
	curl_easy_setopt(curl_, CURLOPT_URL,
			 ((is_local ? "http://localhost" : target.server) + request.path).c_str());
	if (is_local) {
		curl_easy_setopt(curl_, CURLOPT_UNIX_SOCKET_PATH, target.socket.c_str());
		curl_easy_setopt(curl_, CURLOPT_NOPROXY, "*");
	} else if (!target.ca.empty()) {
		curl_easy_setopt(curl_, CURLOPT_CAINFO, target.ca.c_str());
	}
	curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT, static_cast<long>(connect_patience_s));
	if (call.take) {
		curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_TIME, static_cast<long>(silence_limit_s));
	} else {
		curl_easy_setopt(curl_, CURLOPT_TIMEOUT, static_cast<long>(request.patience.count()));
	}
	curl_easy_setopt(curl_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
	if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
		curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE,
				 static_cast<curl_off_t>(request.body.size()));
		curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, request.body.data());
	}
	curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &call);
	curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &call);
	if (options_.debug) {
		curl_easy_setopt(curl_, CURLOPT_VERBOSE, 1L);
		curl_easy_setopt(curl_, CURLOPT_DEBUGFUNCTION, on_debug);
		curl_easy_setopt(curl_, CURLOPT_DEBUGDATA, &call);
	}
	if (options_.progress && !call.take) {
		curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, on_progress);
		curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, &call);
	}
}

tl::unexpected<Error> CurlTransport::error_of(CURLcode code, const Call &call) const
{
	const bool is_local = !options_.target.socket.empty();
	const std::string peer = is_local ? options_.target.socket : options_.target.server;
	if (call.too_long)
		return fail(ErrorKind::resource_exhausted, text("the answer of ", peer, " is longer than ",
								answer_limit_bytes >> 20, " MiB"));
	const char *words = words_[0] ? words_ : curl_easy_strerror(code);
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		if (is_local)
			return fail(ErrorKind::unavailable,
				    text("neuwerkd does not answer on ", peer, ": is it running?"));
		return fail(ErrorKind::unavailable, text("cannot connect to ", peer, ": ", words));
	case CURLE_OPERATION_TIMEDOUT:
		if (call.take)
			return fail(ErrorKind::unavailable, text("the stream of ", peer, " fell silent"));
		return fail(ErrorKind::unavailable, text("neuwerkd did not answer in time on ", peer));
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		return fail(ErrorKind::unavailable, text("neuwerkd closed the connection on ", peer));
	case CURLE_PEER_FAILED_VERIFICATION:
		return fail(ErrorKind::unauthenticated, text(peer, ": its certificate is not trusted: ",
							     words, "; --ca names the appliance's ca.crt"));
	case CURLE_SSL_CACERT_BADFILE:
		return fail(ErrorKind::invalid_argument,
			    text("--ca ", options_.target.ca, ": cannot be read as PEM certificates"));
	default:
		return fail(ErrorKind::unavailable, text(peer, ": ", words));
	}
}

Result<Response> CurlTransport::run(const Request &request, Call &call)
{
	if (!curl_)
		return fail(ErrorKind::internal, "libcurl does not start");
	if (const auto looked = look_at_socket(); !looked)
		return tl::unexpected(looked.error());
	prepare(request, call);
	curl_slist *lines = nullptr;
	const auto add = [&](const std::string &line) { lines = curl_slist_append(lines, line.c_str()); };
	if (!options_.target.token.empty())
		add("Authorization: Bearer " + options_.target.token);
	if (!request.body.empty())
		add("Content-Type: " + request.content_type);
	else if (request.method == "POST" || request.method == "PUT")
		add("Content-Type:"); // curl would call it a form
	if (call.take)
		add("Accept: text/event-stream");
	for (const auto &[name, value] : request.headers)
		add(text(name, ": ", value));
	curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, lines);
	const CURLcode code = curl_easy_perform(curl_);
	curl_slist_free_all(lines);
	if (call.shown.count() > 0)
		options_.progress(std::chrono::seconds(0));
	const bool is_stopped = call.stopped && code == CURLE_WRITE_ERROR;
	if (code != CURLE_OK && !is_stopped)
		return error_of(code, call);
	if (call.take && call.response.status == 200 && !is_stopped)
		return error_of(CURLE_PARTIAL_FILE, call); // a stream has no end of its own
	return std::move(call.response);
}

} // namespace

std::unique_ptr<Transport> curl_transport(TransportOptions options)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
	return std::make_unique<CurlTransport>(std::move(options));
}

std::string Response::header(std::string_view name) const
{
	for (const auto &[key, value] : headers)
		if (key == name)
			return value;
	return {};
}

std::vector<std::string> Response::all(std::string_view name) const
{
	std::vector<std::string> values;
	for (const auto &[key, value] : headers)
		if (key == name)
			values.push_back(value);
	return values;
}

} // namespace neuwerk::cli
