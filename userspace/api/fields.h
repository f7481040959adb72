// Reads the fields of a JSON object one after the other; the first error stays.
#pragma once

#include "api/body.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::api {

// Every reader leaves its target alone when the key is absent or null, or after an error: a value in the
// target beforehand is the default, or, in a patch, what stands.
class Fields {
public:
	explicit Fields(std::string_view json);

	void required(std::string_view key, std::string &into);
	void required(std::string_view key, bool &into);
	void optional(std::string_view key, std::string &into);
	void optional(std::string_view key, std::optional<std::string> &into);
	void optional(std::string_view key, bool &into);
	void optional(std::string_view key, std::int64_t &into);
	void optional(std::string_view key, std::vector<std::string> &into);
	void optional(std::string_view key, std::optional<std::vector<std::string>> &into);
	// One of `choices`, spelled exactly like that.
	void required(std::string_view key, std::string &into, const std::vector<std::string_view> &choices);
	void optional(std::string_view key, std::string &into, const std::vector<std::string_view> &choices);

	// "invalid json: <detail>", as Body says it.
	void refuse(std::string_view detail);
	[[nodiscard]] Result<> result() const;

private:
	template <typename Value>
	void take(const Result<Value> &value, Value &into);
	template <typename Value, typename Target>
	void take_if_there(const Result<std::optional<Value>> &value, Target &into);
	void check(std::string_view key, const std::string &value,
		   const std::vector<std::string_view> &choices);

	std::optional<Body> body_;
	std::optional<Error> error_;
};

} // namespace neuwerk::api
