// Every transcript on real XDP and DPDK, with real frames between network namespaces, in both forms.
#include "appliance.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace {

using namespace neuwerk::packets;

void play_every_case(Form form)
{
	const auto cases = every_case(NW_TRANSCRIPTS);
	REQUIRE_MESSAGE(cases, (cases ? "" : cases.error().what));
	std::unique_ptr<Appliance> appliance; // kept while the cases want the same one
	Setting setting;
	for (const Case &example : *cases) {
		if (example.needs_time || (example.setting.needs_two_ports && form == Form::one_arm))
			continue;
		CAPTURE(example.file);
		CAPTURE(example.sentence);
		if (!appliance || setting != example.setting) {
			appliance.reset(); // before the next one takes its place
			auto made = live_appliance(form, example.setting);
			REQUIRE_MESSAGE(made, (made ? "" : made.error().what));
			appliance = std::move(*made);
			setting = example.setting;
		}
		for (const std::string &complaint : play(example, form, *appliance))
			FAIL_CHECK(complaint);
		const auto swept = appliance->sweep();
		REQUIRE_MESSAGE(swept, (swept ? "" : swept.error().what));
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
