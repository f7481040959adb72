// What is legal but probably not meant.
#pragma once

#include "model/policy.h"
#include "policy/reading.h"

namespace neuwerk::policy {

void review_policy(const model::Policy &policy, Reading &reading);

} // namespace neuwerk::policy
