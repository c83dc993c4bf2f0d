package admin

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
)

// resources is a constant table of what /apisix/admin/<name> is. Credentials are
// not in it: they are found below their consumers.
var resources = map[string]*resource{
	"routes": {
		dir: "routes", kind: "route", named: "route", check: plainly((*apisix.Object).CheckRoute), plugins: plugin.Route,
		refs: []reference{refUpstream, refService, refConfig, refInline},
		keys: apisix.InlineKeys,
	},
	"services": {
		dir: "services", kind: "service", named: "service", check: plainly((*apisix.Object).CheckService), plugins: plugin.Route,
		refs:          []reference{refUpstream, refInline},
		keys:          apisix.InlineKeys,
		deleteRefused: "can not delete this service directly",
		users: []user{
			{dir: "routes", kind: "route", ids: byField("service_id")},
			{dir: "stream_routes", kind: "stream_route", ids: byField("service_id")},
		},
	},
	"upstreams": {
		dir: "upstreams", kind: "upstream", named: "upstream", check: plainly((*apisix.Object).CheckUpstream),
		refs:          []reference{refCert},
		keys:          apisix.UpstreamKeys,
		deleteRefused: "can not delete this upstream",
		users: []user{
			{dir: "routes", kind: "route", ids: byField("upstream_id")},
			{dir: "services", kind: "service", ids: byField("upstream_id")},
			{dir: "stream_routes", kind: "stream_route", ids: byField("upstream_id")},
			{dir: "routes", kind: "route", ids: bySplit, plugin: true},
			{dir: "services", kind: "service", ids: bySplit, plugin: true},
			{dir: "plugin_configs", kind: "plugin_config", ids: bySplit, plugin: true},
			{dir: "consumers", kind: "consumer", ids: bySplit, plugin: true},
			{dir: "consumer_groups", kind: "consumer_group", ids: bySplit, plugin: true},
			{dir: "global_rules", kind: "global_rules", ids: bySplit, plugin: true},
		},
	},
	"ssls": {
		dir: "ssls", kind: "ssl", named: "ssl", check: plainly((*apisix.Object).CheckSSL),
		keys:   apisix.SSLKeys,
		hidden: []string{"key", "keys"},
	},
	"consumers": {
		dir: "consumers", kind: "consumer", named: "consumer", check: checkConsumer, plugins: plugin.Consumer,
		without: []string{http.MethodPost, http.MethodPatch}, unnumbered: true,
		refs: []reference{refGroup},
	},
	"global_rules": {
		dir: "global_rules", kind: "global rule", named: "global_rule", check: plainly((*apisix.Object).CheckGlobalRule), plugins: plugin.Route,
		without: []string{http.MethodPost},
	},
	"plugin_configs": {
		dir: "plugin_configs", kind: "plugin config", named: "plugin_config", check: plainly((*apisix.Object).CheckPluginConfig), plugins: plugin.Route,
		without:       []string{http.MethodPost},
		deleteRefused: "can not delete this plugin config",
		users:         []user{{dir: "routes", kind: "route", ids: byField("plugin_config_id")}},
	},
	"consumer_groups": {
		dir: "consumer_groups", kind: "consumer group", named: "consumer_group", check: plainly((*apisix.Object).CheckConsumerGroup), plugins: plugin.Route,
		without:       []string{http.MethodPost},
		deleteRefused: "can not delete this consumer group",
		users:         []user{{dir: "consumers", kind: "consumer", ids: byField("group_id")}},
	},
	"plugin_metadata": {
		dir: "plugin_metadata", kind: "plugin_metadata", named: "plugin_metadata", plugins: plugin.Metadata,
		without: []string{http.MethodPost, http.MethodPatch}, unstamped: true,
	},
	"stream_routes": {
		dir: "stream_routes", kind: "stream route", named: "stream_route", check: plainly((*apisix.Object).CheckStreamRoute), plugins: plugin.Route,
		without:       []string{http.MethodPatch},
		refs:          []reference{refUpstream, refService, refSuperior, refInline},
		keys:          apisix.InlineKeys,
		deleteRefused: "can not delete this stream route directly",
		users: []user{
			{dir: "stream_routes", kind: "stream route", ids: byField("protocol.superior_id"), as: "as superior_id"},
		},
	},
	"protos": {
		dir: "protos", kind: "proto", named: "proto", check: plainly((*apisix.Object).CheckProto),
		without:       []string{http.MethodPatch},
		deleteRefused: "can not delete this proto",
		users: []user{
			{dir: "routes", kind: "route", ids: byPlugin("grpc-transcode", "proto_id")},
			{dir: "services", kind: "service", ids: byPlugin("grpc-transcode", "proto_id")},
		},
	},
	"secrets": {
		dir: "secrets", kind: "secret", check: checkSecret,
		without: []string{http.MethodPost},
	},
}

var credentials = &resource{
	dir: "consumers", kind: "credential", named: "credential", check: plainly((*apisix.Object).CheckCredential), plugins: plugin.Consumer,
	without: []string{http.MethodPost, http.MethodPatch},
}

// kindOf finds a kind by its plural name.
func kindOf(name string) (*resource, bool) {
	if name == "credentials" {
		return credentials, true
	}
	res, ok := resources[name]
	return res, ok
}

// find reads the address in a path below the root, and what follows the id there;
// nil: nothing does. The error is the name of a kind that does not exist.
func find(path string) (p address, sub *string, err *failure) {
	name, rest, _ := strings.Cut(path, "/")
	res, ok := resources[name]
	if !ok {
		return address{}, nil, fail(http.StatusNotFound, "Unsupported resource type: "+name)
	}
	p.res = res
	segments := strings.Split(rest, "/")
	switch {
	case name == "secrets" && rest != "":
		p.within, segments = segments[0]+"/", segments[1:]
	case name == "consumers" && len(segments) > 1 && segments[1] == "credentials":
		p.res, p.within, segments = credentials, apisix.CredentialTail(segments[0], ""), segments[2:]
	}
	if len(segments) > 0 {
		p.id = segments[0]
	}
	if len(segments) > 1 {
		below := strings.Join(segments[1:], "/")
		sub = &below
	}
	return p, sub, nil
}

func checkConsumer(obj *apisix.Object, at address) error {
	if name, ok := obj.Value("username").(string); ok && at.id != "" && name != at.id {
		return fmt.Errorf("wrong username")
	}
	return obj.CheckConsumer()
}

func checkSecret(obj *apisix.Object, at address) error {
	return obj.CheckSecret(strings.TrimSuffix(at.within, "/"))
}
