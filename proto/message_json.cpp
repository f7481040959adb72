// Messages of the contracts as JSON text.
#include "proto/message_json.h"

#include <boost/json.hpp>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

namespace neuwerk::v1 {

namespace {

namespace json = boost::json;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

json::value tree_of(const Message &message);

json::value field_of(const Message &message, const FieldDescriptor *field)
{
	const auto *reflection = message.GetReflection();
	switch (field->cpp_type()) {
	case FieldDescriptor::CPPTYPE_BOOL:
		return reflection->GetBool(message, field);
	case FieldDescriptor::CPPTYPE_UINT32:
		return reflection->GetUInt32(message, field);
	case FieldDescriptor::CPPTYPE_UINT64:
		return reflection->GetUInt64(message, field);
	case FieldDescriptor::CPPTYPE_STRING:
		return json::string(reflection->GetString(message, field));
	case FieldDescriptor::CPPTYPE_MESSAGE:
		if (!reflection->HasField(message, field))
			return nullptr;
		return tree_of(reflection->GetMessage(message, field));
	default: // the contract has no other types
		return nullptr;
	}
}

json::value list_of(const Message &message, const FieldDescriptor *field)
{
	const auto *reflection = message.GetReflection();
	json::array list;
	for (int i = 0; i < reflection->FieldSize(message, field); i++) {
		if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
			list.push_back(tree_of(reflection->GetRepeatedMessage(message, field, i)));
		else
			list.push_back(json::string(reflection->GetRepeatedString(message, field, i)));
	}
	return list;
}

json::value tree_of(const Message &message)
{
	json::object object;
	const auto *descriptor = message.GetDescriptor();
	for (int i = 0; i < descriptor->field_count(); i++) {
		const FieldDescriptor *field = descriptor->field(i);
		object[field->name()] =
			field->is_repeated() ? list_of(message, field) : field_of(message, field);
	}
	return object;
}

} // namespace

std::string to_json(const Message &message)
{
	return json::serialize(tree_of(message));
}

bool from_json(const std::string &json, Message &message)
{
	google::protobuf::util::JsonParseOptions options;
	options.ignore_unknown_fields = true;
	return google::protobuf::util::JsonStringToMessage(json, &message, options).ok();
}

} // namespace neuwerk::v1
