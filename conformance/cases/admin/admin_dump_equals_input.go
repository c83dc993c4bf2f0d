package admin

import (
	"context"
	"encoding/json"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that adds members of its own to what it gives back: a client
// that compares finds a difference for ever.
var adminDumpEqualsInput = spec.Case{
	ID: "ADMIN-DUMP-EQUALS-INPUT", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "What a list gives back of an object is what was put and id, create_time and update_time: nothing more, nothing less.",
	Refs:  []string{"APISIX 3.18 Admin API, clients: ADC"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		for kind, body := range map[string]string{
			"upstreams": `{"name":"u","type":"chash","key":"remote_addr","nodes":[{"host":"192.0.2.1","port":80,"weight":1}],"labels":{"a":"b"},"checks":{"active":{"http_path":"/"}},"timeout":{"connect":1.5,"send":1,"read":1}}`,
			"services":  `{"name":"s","hosts":["a.example"],"upstream":{"nodes":{},"scheme":"https","pass_host":"node"},"plugins":{}}`,
			"routes":    `{"name":"r","uris":["/a","/b/*"],"host":"` + t.Host() + `","priority":0,"vars":[["arg_a","==","1"]],"status":1,"upstream":{"nodes":{"192.0.2.1:80":0}}}`,
		} {
			path := kind + "/" + t.Name("o")
			t.Put(ctx, path, body)
			var want map[string]any
			if err := json.Unmarshal([]byte(body), &want); err != nil {
				t.Brokenf("%v", err)
			}
			want["id"] = t.Name("o")
			values, _ := items(ctx, t, "/"+kind)
			found := false
			for _, v := range values {
				if v["id"] != t.Name("o") {
					continue
				}
				found = true
				t.Check(isInt(v["create_time"]) && isInt(v["update_time"]), "%s has no times: %s", path, text(v))
				delete(v, "create_time")
				delete(v, "update_time")
				t.Check(text(v) == text(want), "%s: got %s, want %s", path, text(v), text(want))
			}
			t.Check(found, "%s is not in the list", path)
		}
	},
}
