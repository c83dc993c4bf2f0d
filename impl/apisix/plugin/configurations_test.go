package plugin_test

import "github.com/unilb/unilb/impl/apisix/plugin"

// configurations and what is wrong with them; want "": nothing.
var configurations = []struct {
	plugin string
	kind   plugin.Kind
	conf   string
	want   string
}{
	// What every plugin has in common.
	{"mocking", onRoute, `{"anything":[1,{"a":null}]}`, ``},
	{"mocking", onRoute, `{"_meta":{"disable":1}}`, `property "_meta" validation failed: property "disable" validation failed: wrong type: expected boolean, got number`},
	{"mocking", onConsumer, `{"_meta":{"priority":"high"}}`, `property "_meta" validation failed: property "priority" validation failed: wrong type: expected integer, got string`},
	{"key-auth", onConsumer, `{"key":"a","_meta":{"priority":"high"}}`, `property "_meta" validation failed: property "priority" validation failed: wrong type: expected integer, got string`},
	{"key-auth", onRoute, `{"_meta":{"filter":[["arg_a","==","1"]],"priority":-3,"error_response":{"a":1},"pre_function":"return 1"}}`, ``},
	{"key-auth", onRoute, `{"_meta":{"filter":[["arg_a","=>","1"]]}}`, `failed to validate the 'filter' expression: invalid operator '=>'`},
	{"key-auth", onRoute, `{"header":1,"_meta":{"disable":true}}`, ``},
	{"key-auth", onRoute, `{"header":1,"_meta":{"disable":false}}`, `property "header" validation failed: wrong type: expected string, got number`},

	// Authentication.
	{"key-auth", onRoute, `{}`, ``},
	{"key-auth", onRoute, `{"realm":"a\"b"}`, `property "realm" validation failed: failed to match pattern "^[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]+$" with "a\"b"`},
	{"key-auth", onRoute, `{"realm":""}`, `property "realm" validation failed: string too short, expected at least 1, got 0`},
	{"key-auth", onConsumer, `{}`, `property "key" is required`},
	{"key-auth", onConsumer, `{"key":"$secret://vault/1/a/b"}`, ``},
	{"basic-auth", onConsumer, `{"username":"a"}`, `property "password" is required`},
	{"jwt-auth", onConsumer, `{"key":"k"}`, `property "secret" is required when using HS based algorithms`},
	{"jwt-auth", onConsumer, `{"key":"k","secret":"s"}`, ``},
	{"jwt-auth", onConsumer, `{"key":"k","algorithm":"ES256"}`, `missing valid public key`},
	{"jwt-auth", onConsumer, `{"key":"k","algorithm":"none"}`, `property "algorithm" validation failed: matches none of the enum values`},
	{"jwt-auth", onRoute, `{"claims_to_verify":["iat"]}`, `property "claims_to_verify" validation failed: failed to validate item 1: matches none of the enum values`},
	{"hmac-auth", onConsumer, `{"key_id":"a","secret_key":""}`, `property "secret_key" validation failed: string too short, expected at least 1, got 0`},
	{"hmac-auth", onRoute, `{"clock_skew":0}`, `property "clock_skew" validation failed: expected 0 to be at least 1`},

	// Restrictions.
	{"ip-restriction", onRoute, `{"whitelist":["10.0.0.0/8","::1"]}`, ``},
	{"ip-restriction", onRoute, `{"whitelist":["10.255.256.0/24"]}`, `invalid ip address: 10.255.256.0/24`},
	{"ip-restriction", onRoute, `{"whitelist":["10.255.254.0/38"]}`, `property "whitelist" validation failed: failed to validate item 1: object matches none of the required`},
	{"ip-restriction", onRoute, `{}`, `value should match only one schema, but matches none`},
	{"ip-restriction", onRoute, `{"whitelist":["::1"],"blacklist":["::1"]}`, `value should match only one schema, but matches both schemas 1 and 2`},
	{"ip-restriction", onConsumer, `{"whitelist":["::1"],"response_code":500}`, `property "response_code" validation failed: matches none of the enum values`},
}
