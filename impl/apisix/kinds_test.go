package apisix_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/unilb/unilb/impl/apisix"
)

// TestChecksOfKinds breaks one rule at a time.
func TestChecksOfKinds(t *testing.T) {
	vault := func(o *apisix.Object) error { return o.CheckSecret("vault") }
	gcp := func(o *apisix.Object) error { return o.CheckSecret("gcp") }
	set, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{{Name: proto.String("a.proto")}}})
	if err != nil {
		t.Fatal(err)
	}
	const inv = "invalid configuration: "
	for _, tc := range []struct {
		name  string
		check func(*apisix.Object) error
		text  string
		want  string // how the error begins; "": none
	}{
		{"consumer", (*apisix.Object).CheckConsumer, `{"username":"a_b-C9","id":"a","group_id":1,"plugins":{},"desc":"d","labels":{"custom_id":"7"},"create_time":1,"update_time":2}`, ""},
		{"consumer without a name", (*apisix.Object).CheckConsumer, `{}`, inv + `property "username" is required`},
		{"consumer with a long name", (*apisix.Object).CheckConsumer, `{"username":"` + strings.Repeat("a", 257) + `"}`, inv + `property "username" validation failed: string too long, expected at most 256, got 257`},
		{"consumer has no name member", (*apisix.Object).CheckConsumer, `{"username":"a","name":"n"}`, inv + `additional properties forbidden, found name`},
		{"credential", (*apisix.Object).CheckCredential, `{"id":"jack/credentials/1","name":"n","plugins":{"key-auth":{}}}`, ""},
		{"credential with two plugins", (*apisix.Object).CheckCredential, `{"plugins":{"a":{},"b":{}}}`, inv + `property "plugins" validation failed: expect object to have at most 1 properties`},
		{"credential's id", (*apisix.Object).CheckCredential, `{"id":"a/b/c"}`, inv + `property "id" validation failed: object matches none of the required`},
		{"global rule", (*apisix.Object).CheckGlobalRule, `{"id":1,"plugins":{}}`, ""},
		{"global rule as Lua prints it", (*apisix.Object).CheckGlobalRule, `{"id":1,"plugins":[]}`, ""},
		{"global rule has no name", (*apisix.Object).CheckGlobalRule, `{"id":1,"plugins":{},"name":"n"}`, inv + `additional properties forbidden, found name`},
		{"plugin config", (*apisix.Object).CheckPluginConfig, `{"id":1,"plugins":{},"name":"","desc":"","labels":{}}`, ""},
		{"plugin config without plugins", (*apisix.Object).CheckPluginConfig, `{"id":1}`, inv + `property "plugins" is required`},
		{"consumer group", (*apisix.Object).CheckConsumerGroup, `{"id":1,"plugins":{},"name":"n"}`, ""},
		{"consumer group with an empty name", (*apisix.Object).CheckConsumerGroup, `{"id":1,"plugins":{},"name":""}`, inv + `property "name" validation failed: string too short, expected at least 1, got 0`},
		{"stream route", (*apisix.Object).CheckStreamRoute,
			`{"remote_addr":"10.0.0.0/8","server_addr":"::1","server_port":1,"sni":"*.a.com","upstream":{"nodes":[{"host":"a","port":1,"weight":1}],"scheme":"tls"},
			"protocol":{"name":"redis","superior_id":1,"conf":{},"logger":[{"name":"syslog","filter":[],"conf":{}}]},"name":"n","labels":{}}`, ""},
		{"stream route's port", (*apisix.Object).CheckStreamRoute, `{"server_port":65536}`, inv + `property "server_port" validation failed: expected 65536 to be at most 65535`},
		{"stream route's logger", (*apisix.Object).CheckStreamRoute, `{"protocol":{"name":"redis","logger":[{"name":"syslog"}]}}`,
			inv + `property "protocol" validation failed: property "logger" validation failed: failed to validate item 1: property "conf" is required when "name" is set`},
		{"stream route's protocol", (*apisix.Object).CheckStreamRoute, `{"protocol":{}}`, inv + `property "protocol" validation failed: property "name" is required`},
		{"stream route's upstream", (*apisix.Object).CheckStreamRoute, `{"upstream":{"nodes":{"a:70000":1}}}`, `invalid port 70000`},
		{"stream route has no uri", (*apisix.Object).CheckStreamRoute, `{"uri":"/"}`, inv + `additional properties forbidden, found uri`},
		{"proto", (*apisix.Object).CheckProto, protoOf(t, `syntax = "proto3"; import "google/protobuf/empty.proto"; service S { rpc R(google.protobuf.Empty) returns (M); } message M { int32 n = 1; }`), ""},
		{"proto in base64", (*apisix.Object).CheckProto, protoOf(t, base64.StdEncoding.EncodeToString(set)), ""},
		{"proto that does not compile", (*apisix.Object).CheckProto, protoOf(t, `syntax = "proto3"; message M { Missing n = 1; }`), `invalid content: content:1:32`},
		{"descriptors that are none", (*apisix.Object).CheckProto, protoOf(t, base64.StdEncoding.EncodeToString([]byte("nonsense"))), `invalid content: `},
		{"empty proto", (*apisix.Object).CheckProto, protoOf(t, ""), inv + `property "content" validation failed: string too short`},
		{"vault", vault, `{"uri":"https://[::1]:8200/v","prefix":"kv","token":"t","namespace":"n","id":"vault/1","more":1}`, ""},
		{"vault's address", vault, `{"uri":"vault","prefix":"kv","token":"t"}`, inv + `property "uri" validation failed: failed to match pattern "^[^\\/]+:\\/\\/([\\da-zA-Z.-]+|\\[[\\da-fA-F:]+\\])(:\\d+)?" with "vault"`},
		{"vault's token", vault, `{"uri":"http://v","prefix":"kv"}`, inv + `property "token" is required`},
		{"gcp", gcp, `{}`, inv + `value should match only one schema, but matches none`},
		{"filter_func", (*apisix.Object).CheckRoute, `{"uri":"/","plugins":{},"filter_func":"function(vars) return vars.arg_a == '1' end"}`, ""},
		{"filter_func that does not load", (*apisix.Object).CheckRoute, `{"uri":"/","plugins":{},"filter_func":"function(vars) return return end"}`, `failed to load 'filter_func' string: `},
		{"filter_func that is called", (*apisix.Object).CheckRoute, `{"uri":"/","plugins":{},"filter_func":"function() end == 1"}`, `'filter_func' should be a function`},
		{"script", (*apisix.Object).CheckRoute, `{"uri":"/","script":"local _M = {} function _M.access() end return _M"}`, ""},
		{"script that does not load", (*apisix.Object).CheckService, `{"script":"local _M = { return _M"}`, `failed to load 'script' string: `},
		{"script that returns nothing", (*apisix.Object).CheckService, `{"script":"local _M = {}"}`, `'script' should be a Lua object`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o, err := apisix.Parse([]byte(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			err = tc.check(o)
			if (err == nil) != (tc.want == "") || err != nil && !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("%s:\ngot  %v\nwant %s", tc.text, err, tc.want)
			}
		})
	}
}

// protoOf is a proto with that content.
func protoOf(t *testing.T, content string) string {
	return text(t, map[string]string{"content": content})
}

func TestServedSchemasStandAlone(t *testing.T) {
	for _, kind := range []string{"route", "service", "upstream", "consumer", "credential", "ssl", "proto", "global_rule", "stream_route", "plugin_config", "consumer_group", "plugins"} {
		b, ok := apisix.SchemaText(kind)
		if !ok || !json.Valid(b) || strings.Contains(string(b), "$ref") {
			t.Errorf("%s: got %v %.100s", kind, ok, b)
		}
	}
	for _, kind := range []string{"", "id", "secret_vault", "routes"} {
		if _, ok := apisix.SchemaText(kind); ok {
			t.Errorf("%q is served", kind)
		}
	}
}
