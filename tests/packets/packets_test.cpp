// Every transcript on the pure core, in both forms.
#include "appliance.h"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace neuwerk::packets;

void play_every_case(Form form)
{
	const auto cases = every_case(NW_TRANSCRIPTS);
	REQUIRE_MESSAGE(cases, (cases ? "" : cases.error().what));
	CHECK(cases->size() >= 30);
	for (const Case &example : *cases) {
		if (example.setting.needs_two_ports && form == Form::one_arm)
			continue;
		CAPTURE(example.file);
		CAPTURE(example.sentence);
		auto appliance = pure_appliance(form, example.setting);
		REQUIRE(appliance);
		for (const std::string &complaint : play(example, form, **appliance))
			FAIL_CHECK(complaint);
	}
}

} // namespace

TEST_CASE("every transcript holds on the pure core with two ports")
{
	play_every_case(Form::two_arm);
}

TEST_CASE("every transcript holds on the pure core with one port")
{
	play_every_case(Form::one_arm);
}
