// Routes: cluster membership, which a standalone appliance refuses, spec/http-api §5.13.
#include "api/nouns.h"

namespace neuwerk::api {

namespace {

// Before the body and the node id are looked at, as a follower without a leader would (spec/http-api §2.1).
Response refuse(const Call &)
{
	return error_response(503, "cluster membership requires cluster mode");
}

} // namespace

void add_cluster_routes(Routes &routes, Services &)
{
	routes.push_back(
		{.method = Method::get,
		 .path = "/api/v1/cluster/members",
		 .access = Access::user,
		 .reads = Reads::no_body,
		 .documentation = {.tag = "Diagnostics",
				   .summary = "Members of the cluster; a standalone appliance answers 503",
				   .response = "#ClusterMembers"},
		 .handle = refuse,
		 .quick = true});
	routes.push_back(
		{.method = Method::put,
		 .path = "/api/v1/cluster/members/voters",
		 .access = Access::user,
		 .reads = Reads::json_body,
		 .documentation = {.tag = "Diagnostics",
				   .summary = "Replace the voters; a standalone appliance answers 503",
				   .request = "#VotersReplace",
				   .response = "#Voters"},
		 .handle = refuse,
		 .quick = true});
	routes.push_back({.method = Method::post,
			  .path = "/api/v1/cluster/members/{node_id}/remove",
			  .access = Access::user,
			  .reads = Reads::json_body,
			  .documentation = {.tag = "Diagnostics",
					    .summary = "Remove a member; a standalone appliance answers 503",
					    .request = "#MemberRemove",
					    .response = "#Voters"},
			  .handle = refuse,
			  .quick = true});
}

} // namespace neuwerk::api
