// HTTP requests to others and their URLs, over libcurl.
#include "api/outbound.h"

#include "api/spelling.h"
#include "base/address.h"
#include "base/text.h"

#include <curl/curl.h>

#include <memory>
#include <mutex>

namespace neuwerk::api {

namespace {

struct Cleanup {
	void operator()(CURL *handle) const
	{
		curl_easy_cleanup(handle);
	}
	void operator()(CURLU *url) const
	{
		curl_url_cleanup(url);
	}
	void operator()(char *text) const
	{
		curl_free(text);
	}
};

// curl_global_init is not safe to run twice at once in every build of the library.
void start_library()
{
	static std::once_flag once;
	std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

std::string part_of(CURLU *url, CURLUPart part)
{
	char *raw = nullptr;
	if (curl_url_get(url, part, &raw, 0) != CURLUE_OK)
		return {};
	const std::unique_ptr<char, Cleanup> text(raw);
	return lower(text.get());
}

// The scheme of "mailto:x", which libcurl, made for URLs with "//", does not read. Empty: none. RFC 3986
// §3.1.
std::string_view scheme_of(std::string_view text)
{
	const std::size_t colon = text.find(':');
	if (colon == std::string_view::npos || colon == 0)
		return {};
	const std::string scheme = lower(text.substr(0, colon));
	const bool is_scheme =
		scheme.front() >= 'a' && scheme.front() <= 'z' &&
		scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") == std::string::npos;
	return is_scheme ? text.substr(0, colon) : std::string_view();
}

// Nobody reads the body: its first bytes end the transfer.
std::size_t refuse_body(char *, std::size_t, std::size_t, void *)
{
	return 0;
}

} // namespace

Result<Url> parse_url(std::string_view text)
{
	const std::string_view scheme = scheme_of(text);
	if (scheme.empty())
		return fail(ErrorKind::invalid_argument, "relative URL without a scheme");
	if (!text.substr(scheme.size() + 1).starts_with("//"))
		return Url{lower(scheme), {}};
	const std::unique_ptr<CURLU, Cleanup> url(curl_url());
	const CURLUcode code =
		curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(), CURLU_NON_SUPPORT_SCHEME);
	if (code == CURLUE_NO_HOST)
		return Url{lower(scheme), {}};
	if (code != CURLUE_OK)
		return fail(ErrorKind::invalid_argument, curl_url_strerror(code));
	std::string host = part_of(url.get(), CURLUPART_HOST);
	if (host.size() > 2 && host.front() == '[')
		host = host.substr(1, host.size() - 2);
	return Url{part_of(url.get(), CURLUPART_SCHEME), std::move(host)};
}

bool is_safe_to_call(const Url &url)
{
	if (url.scheme == "https")
		return true;
	if (url.scheme != "http")
		return false;
	const auto address = parse_ipv4(url.host);
	return url.host == "localhost" || url.host == "::1" || (address && *address >> 24 == 127);
}

Result<int> status_of_get(const std::string &url, long limit_ms)
{
	start_library();
	const std::unique_ptr<CURL, Cleanup> handle(curl_easy_init());
	if (!handle)
		return fail(ErrorKind::unavailable, text("GET ", url, ": libcurl has no memory"));
	char reason[CURL_ERROR_SIZE] = "";
	curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
	curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT_MS, limit_ms);
	curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L); // we have threads
	curl_easy_setopt(handle.get(), CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
	curl_easy_setopt(handle.get(), CURLOPT_USERAGENT, "neuwerk");
	curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, refuse_body);
	curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, reason);
	const CURLcode code = curl_easy_perform(handle.get());
	long status = 0;
	curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
	if (status != 0) // it answered, whatever became of the body
		return static_cast<int>(status);
	return fail(ErrorKind::unavailable, *reason ? reason : curl_easy_strerror(code));
}

} // namespace neuwerk::api
