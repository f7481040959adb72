// Messages of the contracts as JSON text: what the API answers and neuwerkctl prints.
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace neuwerk::v1 {

// Compact; the field names are the contract's, every field is there, 64-bit numbers are numbers, an absent
// message is null. (protobuf's own JSON writes 64-bit numbers as strings.)
[[nodiscard]] std::string to_json(const google::protobuf::Message &message);

// The other direction, unknown fields ignored. False: not JSON, or not of this message's shape.
[[nodiscard]] bool from_json(const std::string &json, google::protobuf::Message &message);

} // namespace neuwerk::v1
