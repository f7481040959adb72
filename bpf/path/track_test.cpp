// TCP states as both directions' flags tell them, limits per state, and the token bucket.
#include "path/limit.h"
#include "path/track.h"

#include <doctest/doctest.h>

#include <cstdint>

namespace {

constexpr std::uint8_t syn = NW_SEEN_SYN, ack = NW_SEEN_ACK, fin = NW_SEEN_FIN, rst = NW_SEEN_RST;

// One connection, as XDP would record it.
struct Connection {
	std::uint8_t out = 0, in = 0;

	Connection &sends(std::uint8_t flags)
	{
		out = nw_seen_after(out, flags);
		return *this;
	}
	Connection &receives(std::uint8_t flags)
	{
		in = nw_seen_after(in, flags);
		return *this;
	}
	nw_flow_state state() const
	{
		return nw_flow_state_of(NW_PROTOCOL_TCP, out, in);
	}
};

} // namespace

TEST_CASE("a connection passes through the states of RFC 5382 as its flags are seen")
{
	Connection connection;
	CHECK(connection.sends(syn).state() == NW_STATE_syn_sent);
	CHECK(connection.receives(syn | ack).state() == NW_STATE_syn_received);
	CHECK(connection.sends(ack).state() == NW_STATE_established);
	CHECK(connection.sends(fin | ack).state() == NW_STATE_half_closed);
	CHECK(connection.receives(ack).state() == NW_STATE_half_closed);
	CHECK(connection.receives(fin | ack).state() == NW_STATE_closing);
	CHECK(connection.sends(ack).state() == NW_STATE_closing);
}

TEST_CASE("a reset closes, from either side, and traffic after it shows that it was not believed")
{
	Connection refused;
	refused.sends(syn).receives(rst | ack);
	CHECK(refused.state() == NW_STATE_closing);

	Connection challenged;
	challenged.sends(syn).receives(syn | ack).sends(ack).receives(rst);
	CHECK(challenged.state() == NW_STATE_closing);
	CHECK(challenged.receives(ack).state() == NW_STATE_established);
}

TEST_CASE("a client that reuses its port begins anew on the same flow")
{
	Connection connection;
	connection.sends(syn).receives(syn | ack).sends(ack).sends(fin | ack).receives(fin | ack);
	REQUIRE(connection.state() == NW_STATE_closing);

	CHECK(connection.sends(syn).state() == NW_STATE_syn_received); // the old answer still stands
	CHECK(connection.receives(syn | ack).state() == NW_STATE_syn_received);
	CHECK(connection.sends(ack).state() == NW_STATE_established);
}

TEST_CASE("a SYN does not wash off that policy denied the flow")
{
	CHECK((nw_seen_after(NW_SEEN_DENIED | NW_SEEN_ACK, syn) & NW_SEEN_DENIED) != 0);
}

TEST_CASE("UDP and ICMP are new until something comes back")
{
	CHECK(nw_flow_state_of(NW_PROTOCOL_UDP, nw_seen_after(0, 0), 0) == NW_STATE_new_flow);
	CHECK(nw_flow_state_of(NW_PROTOCOL_ICMP, nw_seen_after(0, 0), nw_seen_after(0, 0)) ==
	      NW_STATE_assured);
}

TEST_CASE("every state and protocol has its own idle limit")
{
	const nw_timeouts limits{7440, 30, 240, 60, 300, 10, 61, 0};
	const auto limit = [&](std::uint8_t protocol, std::uint16_t port, nw_flow_state state) {
		return nw_idle_limit_s(&limits, protocol, NW_BE16(port), state);
	};
	CHECK(limit(NW_PROTOCOL_TCP, 443, NW_STATE_syn_sent) == 30);
	CHECK(limit(NW_PROTOCOL_TCP, 443, NW_STATE_syn_received) == 240);
	CHECK(limit(NW_PROTOCOL_TCP, 443, NW_STATE_established) == 7440);
	CHECK(limit(NW_PROTOCOL_TCP, 443, NW_STATE_half_closed) == 7440);
	CHECK(limit(NW_PROTOCOL_TCP, 443, NW_STATE_closing) == 60);
	CHECK(limit(NW_PROTOCOL_UDP, 443, NW_STATE_assured) == 300);
	CHECK(limit(NW_PROTOCOL_UDP, 53, NW_STATE_assured) == 10);
	CHECK(limit(NW_PROTOCOL_ICMP, 0, NW_STATE_new_flow) == 61);
}

TEST_CASE("a bucket lets its burst through, then one per interval")
{
	__u64 due_ns = 0;
	const std::uint64_t start_ns = 1'000'000;
	int passed = 0;
	for (int i = 0; i < 100; i++)
		passed += nw_take_token(&due_ns, start_ns, 10, 100);
	CHECK(passed == 11); // the burst, and the token that is due now

	CHECK(nw_take_token(&due_ns, start_ns + 10, 10, 100));
	CHECK_FALSE(nw_take_token(&due_ns, start_ns + 10, 10, 100));
	CHECK(nw_take_token(&due_ns, start_ns + 20, 10, 100));
}
