// Events and wiretap reports as server-sent event streams for the API.
#pragma once

#include "api/appliance.h"
#include "daemon/event_hub.h"
#include "observe/observe.h"

#include <memory>

namespace neuwerk::daemon {

// Every event as `data: {…}`, a v1::Event. Begins with a comment, so that a client knows that it is
// subscribed. `hub` outlives the stream.
[[nodiscard]] std::shared_ptr<api::StreamSource> event_stream(EventHub &hub);

// `event: flow` or `event: flow_end` with the report of spec/http-api §7, where `wanted` says so. Ends when
// `hub` closes.
[[nodiscard]] std::shared_ptr<api::StreamSource>
wiretap_stream(EventHub &hub, std::shared_ptr<observe::Observer::WiretapFeed> feed,
	       api::WiretapFilter wanted);

} // namespace neuwerk::daemon
