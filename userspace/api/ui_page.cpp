// What is served where no route answers: a page that says what this is.
#include "api/router.h"

namespace neuwerk::api {

namespace {

constexpr std::string_view page = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Neuwerk</title>
</head>
<body>
<h1>Neuwerk</h1>
<p>This is the management endpoint of a Neuwerk egress firewall. The web UI is not part of this build.</p>
<ul>
<li>The API lies under <a href="/api/v1/openapi.json">/api/v1</a>; that link is its description.</li>
<li>On the appliance itself, use <code>neuwerkctl</code>.</li>
<li>State: <a href="/health">health</a>, <a href="/ready">readiness</a>.</li>
</ul>
</body>
</html>
)";

} // namespace

Response ui_response(const Head &head)
{
	Response response;
	if (head.method != Method::get) {
		response.status = 405;
		response.headers.emplace_back("allow", "GET, HEAD");
		return response;
	}
	response.content_type = "text/html; charset=utf-8";
	response.body = page;
	return response;
}

} // namespace neuwerk::api
