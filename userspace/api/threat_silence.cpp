// Silences: reading one, keeping them in a list.
#include "api/threat_silence.h"

#include "api/fields.h"
#include "api/records.h"
#include "api/settings_records.h"
#include "api/spelling.h"
#include "base/address.h"
#include "base/text.h"
#include "policy/regex.h"

#include <boost/json.hpp>

namespace neuwerk::api {

namespace json = boost::json;

namespace {

tl::unexpected<Error> refuse(std::string what)
{
	return fail(ErrorKind::invalid_argument, std::move(what));
}

Result<> normalise_exact(Silence &silence)
{
	if (!silence.indicator_type)
		return refuse("exact threat silence requires indicator_type");
	std::string_view value = trimmed(silence.value);
	if (*silence.indicator_type == "ip") {
		const auto address = parse_ipv4(value);
		if (!address)
			return refuse(text("invalid ipv4 silence value: ", address.error().what));
		silence.value = format_ipv4(*address);
		return {};
	}
	while (value.starts_with('.'))
		value.remove_prefix(1);
	while (value.ends_with('.'))
		value.remove_suffix(1);
	if (value.empty())
		return refuse("hostname silence value cannot be empty");
	silence.value = lower(value);
	return {};
}

Result<> normalise_regex(Silence &silence)
{
	if (silence.indicator_type == "ip")
		return refuse("hostname_regex threat silence cannot target ip indicators");
	silence.indicator_type.reset();
	silence.value = std::string(trimmed(silence.value));
	if (silence.value.empty())
		return refuse("hostname regex silence value cannot be empty");
	const std::string problem = policy::problem_of_regex(silence.value, policy::Case::insensitive);
	if (!problem.empty())
		return refuse(text("invalid hostname regex silence: ", problem));
	return {};
}

Result<json::object> tree_of(const std::optional<std::string> &list)
{
	boost::system::error_code error;
	json::value tree = json::parse(list ? std::string_view(*list) : no_silences, error);
	if (error)
		return tl::unexpected(damaged(threat_silences_key, error.message()));
	if (!tree.is_object() || !tree.get_object().contains("items") || !tree.at("items").is_array())
		return tl::unexpected(damaged(threat_silences_key, "no list of items"));
	return std::move(tree.get_object());
}

} // namespace

Result<Silence> read_silence(std::string_view body)
{
	Silence silence{};
	std::string indicator_type;
	Fields fields(body);
	fields.required("kind", silence.kind, {"exact", "hostname_regex"});
	fields.optional("indicator_type", indicator_type, {"hostname", "ip"});
	fields.required("value", silence.value);
	fields.optional("reason", silence.reason);
	if (const auto read = fields.result(); !read)
		return tl::unexpected(read.error());
	if (!indicator_type.empty())
		silence.indicator_type = indicator_type;
	if (silence.reason)
		silence.reason = std::string(trimmed(*silence.reason));
	if (silence.reason && silence.reason->empty())
		silence.reason.reset();
	const auto normalised = silence.kind == "exact" ? normalise_exact(silence) : normalise_regex(silence);
	if (!normalised)
		return tl::unexpected(normalised.error());
	return silence;
}

std::string json_of(const Silence &silence)
{
	json::object entry{{"id", silence.id},
			   {"kind", silence.kind},
			   {"indicator_type", nullptr},
			   {"value", silence.value},
			   {"reason", nullptr},
			   {"created_at", silence.created_at_s},
			   {"created_by", silence.created_by}};
	if (silence.indicator_type)
		entry["indicator_type"] = *silence.indicator_type;
	if (silence.reason)
		entry["reason"] = *silence.reason;
	return json::serialize(entry);
}

Result<std::string> append_silence(const std::optional<std::string> &list, std::string_view entry)
{
	auto tree = tree_of(list);
	if (!tree)
		return tl::unexpected(tree.error());
	tree->at("items").get_array().push_back(json::parse(entry));
	std::string longer = json::serialize(*tree);
	if (longer.size() > silences_limit_bytes)
		return fail(ErrorKind::resource_exhausted,
			    text("threat silences: the list would exceed ", silences_limit_bytes,
				 " bytes: delete some, or silence with one hostname_regex"));
	return longer;
}

Result<std::string> erase_silence(const std::optional<std::string> &list, std::string_view id)
{
	auto tree = tree_of(list);
	if (!tree)
		return tl::unexpected(tree.error());
	json::array &items = tree->at("items").get_array();
	for (auto item = items.begin(); item != items.end(); ++item) {
		const json::object *entry = item->if_object();
		const json::value *value = entry ? entry->if_contains("id") : nullptr;
		if (value && value->is_string() && std::string_view(value->get_string()) == id) {
			items.erase(item);
			return json::serialize(*tree);
		}
	}
	return fail(ErrorKind::not_found, "threat silence not found");
}

} // namespace neuwerk::api
