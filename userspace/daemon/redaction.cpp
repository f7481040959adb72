// Secrets by name, by shape and by place.
#include "daemon/redaction.h"

#include <boost/json.hpp>

#include <algorithm>
#include <cctype>

namespace neuwerk::daemon {

namespace json = boost::json;

namespace {

// Records whose values are shown, once members that speak of secrets are replaced. Keys that are not listed
// are shown without their value.
constexpr std::string_view open_prefixes[] = {
	"policy/",
	"settings/performance_mode/",
	"settings/threat_intel/",
	"auth/service-accounts/",
	"auth/sso/providers/",
	"integrations/",
	"http/ca/cert",
	"settings/tls_intercept/ca_cert_pem",
};

// Part of a member's name.
constexpr std::string_view secret_words[] = {
	"secret", "token",      "password",   "passphrase", "private",       "envelope", "nonce",
	"salt",   "ciphertext", "credential", "cookie",     "authorization", "sealed"};

constexpr std::string_view secret_endings[] = {".key", ".db",  ".db-wal", ".db-shm", ".db-journal",
					       ".p12", ".pfx", ".jwt",    ".token"};
constexpr std::string_view secret_names[] = {"bootstrap-token", "api-auth.json", "state-key.bin"};

std::string lower(std::string_view text)
{
	std::string out(text);
	std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
	return out;
}

bool speaks_of_secrets(std::string_view name)
{
	const std::string word = lower(name);
	if (word == "key" || (word.ends_with("_key") && !word.starts_with("public")))
		return true;
	return std::ranges::any_of(secret_words,
				   [&](std::string_view each) { return word.find(each) != word.npos; });
}

// Flags and numbers say nothing about a secret; everything else under its name does.
void redact(json::value &value)
{
	if (auto *object = value.if_object()) {
		for (auto &member : *object)
			if (!speaks_of_secrets(member.key()) || member.value().is_bool() ||
			    member.value().is_null() || member.value().is_number())
				redact(member.value());
			else
				member.value() = json::string(redacted);
	} else if (auto *array = value.if_array()) {
		for (json::value &item : *array)
			redact(item);
	} else if (auto *text = value.if_string()) {
		*text = scrubbed(*text);
	}
}

bool is_token_character(char c)
{
	return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' || c == '+' ||
	       c == '/' || c == '=';
}

// Replaces what begins with `opening` up to what `end_of` finds.
template <typename EndOf>
std::string without(std::string_view text, std::string_view opening, const EndOf &end_of)
{
	std::string out;
	for (;;) {
		const auto at = text.find(opening);
		if (at == text.npos)
			return out.append(text);
		out.append(text.substr(0, at)).append(redacted);
		text.remove_prefix(std::min(text.size(), end_of(text, at + opening.size())));
	}
}

std::size_t end_of_token(std::string_view text, std::size_t from)
{
	while (from < text.size() && is_token_character(text[from]))
		from++;
	return from;
}

// "-----BEGIN EC PRIVATE KEY-----" to the end of its footer; an unfinished one takes the rest along.
std::string without_private_keys(std::string_view text)
{
	constexpr std::string_view begin = "-----BEGIN ", mark = "PRIVATE KEY-----", end = "-----END ";
	std::string out;
	for (;;) {
		const auto at = text.find(begin);
		if (at == text.npos)
			return out.append(text);
		const std::string_view header = text.substr(at, text.find_first_of("\r\n\\", at) - at);
		if (header.find(mark) == header.npos) {
			out.append(text.substr(0, at + begin.size()));
			text.remove_prefix(at + begin.size());
			continue;
		}
		out.append(text.substr(0, at)).append(redacted);
		const auto footer = text.find(end, at);
		const auto after = footer == text.npos ? text.npos : text.find("-----", footer + end.size());
		if (after == text.npos)
			return out;
		text.remove_prefix(after + 5);
	}
}

// "name: value" and "name=value" where the name speaks of a secret, line by line.
std::string without_assignments(std::string_view text)
{
	std::string out;
	while (!text.empty()) {
		const std::string_view line = text.substr(0, text.find('\n') + 1); // all of it without '\n'
		const std::string_view whole = line.empty() ? text : line;
		const auto separator = whole.find_first_of(":=");
		std::string_view name = whole.substr(0, separator);
		name.remove_prefix(std::min(name.find_first_not_of(" \t-\"'"), name.size()));
		name = name.substr(0, name.find_last_not_of(" \t\"'") + 1);
		const bool is_one_word = !name.empty() && name.find_first_of(" \t(") == name.npos;
		if (separator != whole.npos && is_one_word && speaks_of_secrets(name)) {
			out.append(whole.substr(0, separator + 1)).append(" ").append(redacted);
			if (whole.ends_with('\n'))
				out += '\n';
		} else {
			out.append(whole);
		}
		text.remove_prefix(whole.size());
	}
	return out;
}

json::value shown(const state::Record &record)
{
	const bool is_open = std::ranges::any_of(
		open_prefixes, [&](std::string_view prefix) { return record.key.starts_with(prefix); });
	if (!is_open)
		return json::string(redacted);
	boost::system::error_code error;
	json::value value = json::parse(record.value, error);
	if (error)
		return json::string(scrubbed(record.value));
	redact(value);
	return value;
}

} // namespace

bool is_secret_file(std::string_view path)
{
	const std::string name = lower(path.substr(path.rfind('/') + 1)); // npos + 1 is 0
	return std::ranges::find(secret_names, name) != std::end(secret_names) ||
	       std::ranges::any_of(secret_endings, [&](auto ending) { return name.ends_with(ending); }) ||
	       name.find("secret") != name.npos;
}

std::string scrubbed(std::string_view text)
{
	std::string out = without_private_keys(text);
	out = without(out, "eyJ", end_of_token); // base64url of {"
	out = without(out, "Bearer ", end_of_token);
	return without_assignments(out);
}

std::string redacted_listing(const std::vector<state::Record> &records)
{
	json::array list;
	for (const state::Record &record : records)
		list.push_back({{"key", record.key},
				{"revision", record.revision},
				{"changed_index", record.changed_index},
				{"value_bytes", record.value.size()},
				{"value", shown(record)}});
	return json::serialize(list);
}

} // namespace neuwerk::daemon
