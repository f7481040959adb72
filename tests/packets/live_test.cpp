// Every transcript on real XDP and DPDK, with real frames between network namespaces, in both forms.
#include "appliance.h"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace neuwerk::packets;

void play_every_case(Form form)
{
	const auto cases = every_case(NW_TRANSCRIPTS);
	REQUIRE_MESSAGE(cases, (cases ? "" : cases.error().what));
	for (const Case &example : *cases) {
		if (example.needs_time || (example.setting.needs_two_ports && form == Form::one_arm))
			continue;
		CAPTURE(example.file);
		CAPTURE(example.sentence);
		auto appliance = live_appliance(form, example.setting);
		REQUIRE_MESSAGE(appliance, (appliance ? "" : appliance.error().what));
		for (const std::string &complaint : play(example, form, **appliance))
			FAIL_CHECK(complaint);
	}
}

} // namespace

TEST_CASE("every transcript holds on a real appliance with two ports")
{
	play_every_case(Form::two_arm);
}

TEST_CASE("every transcript holds on a real appliance with one port")
{
	play_every_case(Form::one_arm);
}
