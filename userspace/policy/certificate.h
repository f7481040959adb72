// Trust anchors as PEM text.
#pragma once

#include <string>
#include <string_view>

namespace neuwerk::policy {

// "" when the text holds one or more certificates and no other PEM block, else what is wrong.
[[nodiscard]] std::string problem_of_trust_anchor(std::string_view pem);

} // namespace neuwerk::policy
