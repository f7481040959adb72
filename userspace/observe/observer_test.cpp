// Findings, telemetry and wiretap as their readers see them, over real files and a clock that stands still.
#include "observe/observe.h"

#include "storage/storage.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

namespace {

using namespace neuwerk;
using observe::Finding;
using observe::Observer;

constexpr std::int64_t hour_ms = 3'600'000;
const std::string node = "6f1d9a52-8f1e-4b44-9d3e-0a4a0f7f1c11";
const std::string policy = "11111111-2222-4333-8444-555555555555";

struct Place {
	Place()
	{
		std::string name = std::filesystem::temp_directory_path() / "nw-observe-XXXXXX";
		REQUIRE(mkdtemp(name.data()) != nullptr);
		path = name;
	}
	~Place()
	{
		std::filesystem::remove_all(path);
	}
	std::string path;
	std::int64_t now_ms = 1'700'000'000'000;
	std::uint64_t limit_bytes = 100 << 20;

	[[nodiscard]] std::unique_ptr<Observer> open()
	{
		auto opened = Observer::open({.directory = path,
					      .node_id = node,
					      .audit_limit_bytes = limit_bytes,
					      .now_ms = [this] { return now_ms; },
					      .policy_of =
						      [](std::uint32_t generation) {
							      return std::pair<std::uint64_t, std::string>(
								      generation + 100, policy);
						      }});
		REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().what));
		return std::move(*opened);
	}
};

v1::Event denial(const std::string &destination, const std::string &group = "clients")
{
	v1::Event event;
	event.set_kind("denied");
	event.set_generation(7);
	event.set_protocol("tcp");
	event.set_source_address("10.0.0.5");
	event.set_source_port(40000);
	event.set_destination_address(destination);
	event.set_destination_port(443);
	event.set_group_name(group);
	event.set_rule_name("no-web");
	return event;
}

std::string address(std::uint32_t number)
{
	return "198.51." + std::to_string(number / 256 % 256) + "." + std::to_string(number % 256);
}

std::vector<Finding> all(Observer &observer, observe::FindingQuery query = {})
{
	REQUIRE(observer.flush());
	auto found = observer.findings(query);
	REQUIRE_MESSAGE(found, (found ? "" : found.error().what));
	return *found;
}

v1::Flow flow(std::uint64_t packets_out)
{
	v1::Flow flow;
	flow.set_inside_address("10.0.0.5");
	flow.set_inside_port(40000);
	flow.set_remote_address("198.51.100.7");
	flow.set_remote_port(443);
	flow.set_protocol("tcp");
	flow.set_packets_out(packets_out);
	return flow;
}

v1::Event flow_event(const std::string &kind)
{
	v1::Event event = denial("198.51.100.7");
	event.set_kind(kind);
	if (kind == "flow_ended") {
		event.set_reason("tcp_fin");
		event.set_packets_out(9);
		event.set_packets_in(8);
	}
	return event;
}

} // namespace

TEST_CASE("denials of one key are one finding, which a restart finds again and goes on with")
{
	Place place;
	{
		const auto observer = place.open();
		observer->on_denied(denial("198.51.100.7"), 40);
		REQUIRE(observer->flush());
		place.now_ms += 5'000;
		observer->on_denied(denial("198.51.100.7"), 2);
	}
	const auto observer = place.open();
	v1::Event later = denial("198.51.100.7");
	later.set_kind("audited");
	later.set_rule_name("another");
	later.set_source_address("10.0.0.6");
	place.now_ms += 5'000;
	observer->on_denied(later, 1);

	const auto found = all(*observer);
	REQUIRE(found.size() == 1);
	const Finding &finding = found[0];
	CHECK(finding.type == "l4_deny");
	CHECK(finding.policy_id == policy);
	CHECK(finding.source_group == "clients");
	CHECK(finding.dst_ip == "198.51.100.7");
	CHECK(finding.dst_port == 443);
	CHECK(finding.proto == 6);
	CHECK(finding.count == 43);
	CHECK(finding.first_seen_s == 1'700'000'000);
	CHECK(finding.last_seen_s == 1'700'000'010);
	CHECK(finding.node_ids == std::vector{node});
	CHECK(finding.rule == "another");
	CHECK(finding.revision == 107);
	CHECK(finding.sample_src_ips == std::vector<std::string>{"10.0.0.5", "10.0.0.6"});
	CHECK(finding.audited);
}

TEST_CASE("a hundred thousand events cost one transaction per flush, and an idle flush none")
{
	Place place;
	const auto observer = place.open();
	for (std::uint32_t i = 0; i < 100'000; i++)
		observer->on_event(denial(address(i % 1'000)));
	for (std::uint32_t i = 0; i < 1'000; i++)
		observer->on_denied(denial(address(i)), 100);
	CHECK(observer->transaction_count() == 0);
	REQUIRE(observer->flush());
	REQUIRE(observer->flush());
	CHECK(observer->transaction_count() == 1);

	std::uint64_t packets = 0;
	for (const Finding &finding : all(*observer, {.limit = 10'000}))
		packets += finding.count;
	CHECK(packets == 100'000);
	CHECK(observer->lost_count() == 0);
}

TEST_CASE("samples name sources, at most eight, and count nothing beside what XDP counted")
{
	Place place;
	const auto observer = place.open();
	for (int i = 0; i < 20; i++) {
		v1::Event sample = denial("198.51.100.7");
		sample.set_source_address("10.0.0." + std::to_string(i));
		observer->on_event(sample);
	}
	CHECK(all(*observer)[0].count == 1); // no count of XDP yet: at least the sample
	observer->on_denied(denial("198.51.100.7"), 5);
	const auto found = all(*observer);
	CHECK(found[0].count == 5);
	CHECK(found[0].sample_src_ips.size() == 8);
}

TEST_CASE("the key of a finding is the one that the web UI computes")
{
	const std::string p = "11111111-2222-4333-8444-555555555555";
	Finding finding{};
	finding.source_group = "Clients";
	finding.type = "dns_deny";
	finding.hostname = "Bad.Example.COM.";
	CHECK(observe::dedup_key(finding) == "dns:none:clients:bad.example.com");
	finding.type = "l4_deny";
	finding.policy_id = p;
	CHECK(observe::dedup_key(finding) == "l4:" + p + ":clients:0.0.0.0:0:0:");
	finding.dst_ip = "198.51.100.7";
	finding.dst_port = 443;
	finding.proto = 6;
	finding.fqdn = "x.example.";
	CHECK(observe::dedup_key(finding) == "l4:" + p + ":clients:198.51.100.7:443:6:x.example");
	finding.type = "tls_deny";
	finding.sni = "SNI.example";
	CHECK(observe::dedup_key(finding) == "tls:" + p + ":clients:sni.example:198.51.100.7:443");
	finding.type = "icmp_deny";
	CHECK(observe::dedup_key(finding) == "icmp:" + p + ":clients:198.51.100.7:255:255");
	finding.icmp_type = 8;
	finding.icmp_code = 0;
	CHECK(observe::dedup_key(finding) == "icmp:" + p + ":clients:198.51.100.7:8:0");
	finding.type = "auth_sso";
	finding.hostname = "denied";
	finding.fqdn = "failure";
	CHECK(observe::dedup_key(finding) == "auth_sso:" + p + ":clients:denied:failure");
}

TEST_CASE("an ICMP denial is told apart by type and code, an exhausted SNAT address by its remote")
{
	Place place;
	const auto observer = place.open();
	for (std::uint32_t type : {8u, 13u}) {
		v1::Event ping = denial("198.51.100.7");
		ping.set_protocol("icmp");
		ping.set_destination_port(0);
		ping.set_icmp_type(type);
		observer->on_denied(ping, 1);
	}
	v1::Event no_port = denial("198.51.100.7");
	no_port.set_kind("no_port");
	observer->on_denied(no_port, 1);

	CHECK(all(*observer, {.types = {"icmp_deny"}}).size() == 2);
	CHECK_FALSE(all(*observer, {.types = {"icmp_deny"}})[0].dst_port);
	CHECK(all(*observer, {.types = {"nat_exhausted"}}).size() == 1);
}

TEST_CASE("the oldest findings leave when the file would exceed its limit")
{
	Place place;
	place.limit_bytes = 20'000;
	const auto observer = place.open();
	for (std::uint32_t i = 0; i < 200; i++) {
		place.now_ms += 1'000;
		observer->on_denied(denial(address(i)), 1);
		REQUIRE(observer->flush());
	}
	const auto found = all(*observer);
	CHECK(found.size() > 20);
	CHECK(found.size() < 60);
	CHECK(found.front().dst_ip == address(199));
	CHECK(found.back().dst_ip == address(200 - static_cast<std::uint32_t>(found.size())));
}

TEST_CASE("what does not fit between two flushes is lost and counted, known keys never are")
{
	Place place;
	const auto observer = place.open();
	for (std::uint32_t i = 0; i < Observer::pending_limit_count; i++)
		observer->on_denied(denial(address(i)), 1);
	observer->on_denied(denial("203.0.113.1"), 7);
	observer->on_denied(denial(address(3)), 5);
	CHECK(observer->lost_count() == 7);
	CHECK(observer->finding_count().value() == 0);
	REQUIRE(observer->flush());
	CHECK(observer->finding_count().value() == Observer::pending_limit_count);
}

TEST_CASE("filters are OR within and AND across, without case, and the newest and most frequent come first")
{
	Place place;
	const auto observer = place.open();
	observer->on_denied(denial("198.51.100.1", "Alpha"), 1);
	observer->on_denied(denial("198.51.100.2", "beta"), 9);
	REQUIRE(observer->flush());
	place.now_ms += 60'000;
	observer->on_denied(denial("198.51.100.3", "gamma"), 3);
	observer->on_denied(denial("198.51.100.4", "gamma"), 4);

	const auto everything = all(*observer);
	REQUIRE(everything.size() == 4);
	CHECK(everything[0].count == 4);
	CHECK(everything[1].count == 3);
	CHECK(everything[2].count == 9);
	CHECK(all(*observer, {.source_groups = {"ALPHA", "beta"}}).size() == 2);
	CHECK(all(*observer, {.types = {"dns_deny"}, .source_groups = {"alpha"}}).empty());
	CHECK(all(*observer, {.policy_ids = {policy}}).size() == 4);
	CHECK(all(*observer, {.policy_ids = {"00000000-0000-4000-8000-000000000000"}}).empty());
	CHECK(all(*observer, {.since_s = 1'700'000'060}).size() == 2);
	CHECK(all(*observer, {.until_s = 1'700'000'059}).size() == 2);
	CHECK(all(*observer, {.limit = 1}).size() == 1);
}

TEST_CASE("a flush that fails keeps what is pending for the next one")
{
	Place place;
	const auto observer = place.open();
	observer->on_denied(denial("198.51.100.7"), 1);
	REQUIRE(observer->flush());
	auto other = storage::Database::open({.path = place.path + "/audit.db"});
	REQUIRE(other);
	REQUIRE(other->execute("CREATE TABLE saved AS SELECT key, item FROM findings;"
			       "UPDATE findings SET item = 'damaged'"));
	observer->on_denied(denial("198.51.100.7"), 2);
	observer->on_denied(denial("198.51.100.8"), 3);
	const auto failed = observer->flush();
	REQUIRE_FALSE(failed);
	CHECK(failed.error().kind == ErrorKind::corrupt);

	REQUIRE(other->execute("UPDATE findings SET item = (SELECT item FROM saved)"));
	const auto found = all(*observer);
	REQUIRE(found.size() == 2);
	CHECK(found[0].count + found[1].count == 6);
}

TEST_CASE("hits are counted per group and hour: this hour and 23 before, the 24 before that, 49 kept")
{
	Place place;
	const auto observer = place.open();
	observer->on_denied(denial("198.51.100.7", "old"), 5);
	REQUIRE(observer->flush());
	place.now_ms += 23 * hour_ms;
	observer->on_event(flow_event("flow_started"));
	REQUIRE(observer->flush());

	auto hits = observer->telemetry().value();
	REQUIRE(hits.size() == 2);
	CHECK(hits[0].group == "old");
	CHECK(hits[0].current_24h == 5);
	CHECK(hits[1].group == "clients");
	CHECK(hits[1].current_24h == 1);

	place.now_ms += hour_ms;
	hits = observer->telemetry().value();
	CHECK(hits[0].group == "clients");
	CHECK(hits[1].current_24h == 0);
	CHECK(hits[1].previous_24h == 5);

	place.now_ms += 24 * hour_ms;
	observer->on_event(flow_event("flow_started"));
	REQUIRE(observer->flush());
	CHECK(observer->telemetry()->size() == 1);
	auto file = storage::Database::open({.path = place.path + "/audit.db"});
	REQUIRE(file);
	auto hours = file->prepare("SELECT count(*) FROM hits");
	REQUIRE(hours);
	REQUIRE(hours->step().value());
	CHECK(hours->integer(0) == 3); // the one of 48 hours ago is the 49th
	hours->reset();

	place.now_ms += hour_ms;
	observer->on_event(flow_event("flow_started"));
	REQUIRE(observer->flush());
	REQUIRE(hours->step().value());
	CHECK(hours->integer(0) == 3); // now that one is gone
}

TEST_CASE("a flow is reported at its start, at most once a second while it moves, and at its end with the "
	  "reason")
{
	Place place;
	const auto observer = place.open();
	observer->on_event(flow_event("flow_started")); // nobody listens
	CHECK_FALSE(observer->is_tapped());
	const auto feed = observer->tap();
	CHECK(observer->is_tapped());
	int woken = 0;
	feed->on_ready([&] { woken++; });

	observer->on_event(flow_event("flow_started"));
	observer->on_flow(flow(3));
	place.now_ms += 999;
	observer->on_flow(flow(4));
	CHECK(woken == 1);
	place.now_ms += 1;
	observer->on_flow(flow(5));
	place.now_ms += 5'000;
	observer->on_flow(flow(5)); // it stands still
	observer->on_event(flow_event("flow_ended"));
	CHECK(woken == 3);

	const auto started = feed->next(), moved = feed->next(), ended = feed->next();
	REQUIRE(started);
	CHECK(started->json ==
	      R"({"flow_id":"10.0.0.5:40000-198.51.100.7:443-6","src_ip":"10.0.0.5","dst_ip":"198.51.100.7",)"
	      R"("src_port":40000,"dst_port":443,"proto":6,"packets_in":0,"packets_out":1,)"
	      R"("last_seen":1700000000,"hostname":null,"node_id":")" +
		      node + R"("})");
	CHECK_FALSE(started->ended);
	CHECK(started->source == 0x0a000005);
	CHECK(started->destination_port == 443);
	CHECK(started->protocol == 6);
	REQUIRE(moved);
	CHECK(moved->json.find(R"("packets_out":5)") != std::string::npos);
	REQUIRE(ended);
	CHECK(ended->ended);
	CHECK(ended->json.find(R"("packets_out":9)") != std::string::npos);
	CHECK(ended->json.find(R"("reason":"tcp_fin")") != std::string::npos);
	CHECK_FALSE(feed->next());
}

TEST_CASE("a subscriber that does not keep up loses the oldest reports, and only its own")
{
	Place place;
	const auto observer = place.open();
	const auto slow = observer->tap();
	for (std::size_t i = 0; i < Observer::feed_limit_count + 10; i++) {
		v1::Event started = flow_event("flow_started");
		started.set_source_port(static_cast<std::uint32_t>(i));
		observer->on_event(started);
	}
	CHECK(slow->next()->source_port == 10);
	std::size_t left = 0;
	while (slow->next())
		left++;
	CHECK(left == Observer::feed_limit_count - 1);
}

TEST_CASE("what arrives while others flush, ask and listen is counted once")
{
	Place place;
	const auto observer = place.open();
	std::thread writer([&] {
		for (std::uint32_t i = 0; i < 5'000; i++) {
			observer->on_denied(denial(address(i % 50)), 1);
			observer->on_event(flow_event("flow_started"));
		}
	});
	std::size_t reports = 0;
	for (int round = 0; round < 20; round++) {
		const auto feed = observer->tap();
		CHECK(observer->flush());
		CHECK(observer->findings({}));
		while (feed->next())
			reports++;
	}
	writer.join();
	std::uint64_t packets = 0;
	for (const Finding &finding : all(*observer))
		packets += finding.count;
	CHECK(packets == 5'000);
	CHECK(reports <= 5'000);
	CHECK(observer->telemetry()->front().current_24h == 10'000);
}
