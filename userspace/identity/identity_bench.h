// For tests of identity/: a temporary Store, a clock that stands still, and tokens signed by hand.
#pragma once

#include "identity/identity.h"
#include "identity/key_ring.h"
#include "state/temporary_store.h"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

namespace neuwerk::identity {

namespace json = boost::json;

class Bench {
public:
	explicit Bench(const std::string &import_path = "")
	{
		open(import_path);
	}
	void open(const std::string &import_path = "")
	{
		identity_.reset();
		auto opened = Identity::open(
			*store, sealing, [this] { return now_ms; }, import_path);
		REQUIRE_MESSAGE(opened, opened.error().what);
		identity_ = std::move(*opened);
	}
	Identity *operator->()
	{
		return identity_.get();
	}

	[[nodiscard]] std::int64_t now_s() const
	{
		return now_ms / 1000;
	}
	[[nodiscard]] std::string active_kid() const
	{
		return load_keyset(*store)->keys.active_kid;
	}
	// Header and claims as they are given, signed with the active key.
	[[nodiscard]] std::string sign_json(std::string_view header, std::string_view claims) const
	{
		const std::string part = crypto::to_base64url(header) + "." + crypto::to_base64url(claims);
		const auto stored = load_keyset(*store);
		const auto *key = stored->keys.find(stored->keys.active_kid);
		const auto der = crypto::unseal(sealing, key->sealed_private);
		return part + "." + crypto::to_base64url(crypto::sign(*der, part).value());
	}
	[[nodiscard]] json::object header() const
	{
		return {{"alg", "EdDSA"}, {"kid", active_kid()}, {"typ", "JWT"}};
	}
	// Of a token that is good for an hour.
	[[nodiscard]] json::object claims() const
	{
		return {{"iss", "neuwerk-api"}, {"aud", "neuwerk-api"},  {"sub", "alice"},
			{"iat", now_s()},       {"exp", now_s() + 3600}, {"jti", crypto::random_uuid()}};
	}
	[[nodiscard]] std::string sign(const json::object &claims) const
	{
		return sign_json(json::serialize(header()), json::serialize(claims));
	}
	// "": the token is good.
	[[nodiscard]] std::string refusal(std::string_view token)
	{
		const std::string authorization = "Bearer " + std::string(token);
		const auto subject = identity_->authenticate({authorization, std::nullopt});
		if (subject)
			return "";
		CHECK(subject.error().kind == ErrorKind::unauthenticated);
		return subject.error().what;
	}
	Account account(Role role = Role::admin)
	{
		const auto made = identity_->create_account({"ci", std::nullopt, role}, "root");
		REQUIRE(made);
		return *made;
	}
	MintedToken token(const std::string &account, const TokenRequest &request = {})
	{
		auto made = identity_->mint_token(account, request, "root");
		REQUIRE_MESSAGE(made, made.error().what);
		return std::move(*made);
	}
	// Changes one member of a stored record.
	void alter(const std::string &key, std::string_view member, const json::value &value) const
	{
		const auto record = store->get(key);
		REQUIRE(record);
		REQUIRE(*record);
		json::object object = json::parse((*record)->value).as_object();
		object[member] = value;
		REQUIRE(store->write({{state::put(key, json::serialize(object))}, "test", ""}));
	}

	state::TemporaryStore store;
	const crypto::SealingKey sealing{"local-v1", std::string(32, 'k')};
	std::int64_t now_ms = 1'800'000'000'000;

private:
	std::unique_ptr<Identity> identity_;
};

} // namespace neuwerk::identity
