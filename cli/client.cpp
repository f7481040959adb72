// Questions to an appliance.
#include "client.h"

#include "base/error_codes.h"
#include "base/text.h"

#include <cctype>

namespace neuwerk::cli {

std::string escaped(std::string_view words)
{
	constexpr char digits[] = "0123456789ABCDEF";
	std::string out;
	for (const char c : words) {
		const auto byte = static_cast<unsigned char>(c);
		if (std::isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~')
			out += c;
		else
			out += {'%', digits[byte >> 4], digits[byte & 15]};
	}
	return out;
}

Query &Query::add(std::string_view key, std::string_view value)
{
	if (value.empty())
		return *this;
	path_ += text(separator_, key, '=', escaped(value));
	separator_ = '&';
	return *this;
}

bool EventReader::on_line(std::string_view line, const std::function<bool(const StreamEvent &)> &take)
{
	if (line.empty()) {
		const bool goes_on = !has_data_ || take(event_);
		event_ = {"message", ""};
		has_data_ = false;
		return goes_on;
	}
	const auto colon = line.find(':');
	const std::string_view field = line.substr(0, colon);
	std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
	if (value.starts_with(' '))
		value.remove_prefix(1);
	if (field == "event")
		event_.name = value;
	if (field == "data") {
		event_.data += (has_data_ ? "\n" : "") + std::string(value);
		has_data_ = true;
	}
	return event_.data.size() <= event_limit_bytes;
}

bool EventReader::feed(std::string_view bytes, const std::function<bool(const StreamEvent &)> &take)
{
	rest_ += bytes;
	std::size_t start = 0;
	for (std::size_t end; (end = rest_.find('\n', start)) != std::string::npos; start = end + 1) {
		std::string_view line(rest_.data() + start, end - start);
		if (line.ends_with('\r'))
			line.remove_suffix(1);
		if (!on_line(line, take))
			return false;
	}
	rest_.erase(0, start);
	return rest_.size() <= event_limit_bytes;
}

Error error_of(const Response &response, const std::string &method, const std::string &path)
{
	const ErrorKind kind = kind_of_http_status(response.status);
	if (const auto json = Json::parse(response.body); json && !(*json)["error"].text().empty())
		return {kind, (*json)["error"].text()};
	const std::string route = text(method, ' ', path.substr(0, path.find('?')));
	if (response.status == 404 || response.status == 405)
		return {kind, text(route, ": this neuwerkd has no such route")};
	return {kind, text(route, ": HTTP status ", response.status)};
}

Result<Answer> Client::send(const Request &request)
{
	auto response = transport_.exchange(request);
	if (!response)
		return tl::unexpected(response.error());
	const bool is_answer = (response->status >= 200 && response->status <= 299) ||
			       response->status == request.accept_status;
	if (!is_answer)
		return tl::unexpected(error_of(*response, request.method, request.path));
	Answer answer{std::move(*response), {}};
	if (auto json = Json::parse(answer.response.body))
		answer.json = std::move(*json);
	return answer;
}

Result<Answer> Client::get(const std::string &path)
{
	return send({.path = path});
}

Result<Answer> Client::send_json(const char *method, const std::string &path, const Json &body)
{
	return send({.method = method,
		     .path = path,
		     .body = body.is_null() ? "" : body.compact(),
		     .content_type = "application/json"});
}

Result<> Client::stream(const std::string &path, const std::function<void()> &opened,
			const std::function<bool(const StreamEvent &)> &take)
{
	EventReader reader;
	const auto response = transport_.stream(
		{.path = path}, opened, [&](std::string_view bytes) { return reader.feed(bytes, take); });
	if (!response)
		return tl::unexpected(response.error());
	if (response->status != 200)
		return tl::unexpected(error_of(*response, "GET", path));
	return {};
}

} // namespace neuwerk::cli
