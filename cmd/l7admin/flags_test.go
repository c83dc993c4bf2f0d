package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/daemon"
)

func env(key string) string {
	if key == "UNILB_ADMIN_KEY" {
		return "k"
	}
	return ""
}

func TestFlagsBecomeRegistration(t *testing.T) {
	o, err := parse(strings.Fields("--node bj/az1/admin-1 --zone az1 --region bj --etcd http://a:1,http://b:2 --prefix /apisix "+
		"--listen :9180 --status-listen :9096 --underlay 10.101.4.3 --member-address 100.127.0.9"), env)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := o.registration()
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(reg)
	const want = `{"name":"bj/az1/admin-1","kind":"l7admin","region":"bj","zone":"az1","underlay":"10.101.4.3","member":"100.127.0.9",` +
		`"status":"http://10.101.4.3:9096","watches":null,"state":"active"}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	if len(o.etcd) != 2 || o.key != "k" {
		t.Errorf("got %+v", o)
	}
}

func TestFlagsOfTheAdminAPI(t *testing.T) {
	o, err := parse(strings.Fields("--node a --stream --allow-admin 127.0.0.0/24,10.1.2.3 --no-cors --config-provider yaml --max-configs 1000"), func(key string) string {
		return map[string]string{"UNILB_ADMIN_KEY": "k", "UNILB_VIEWER_KEY": "v"}[key]
	})
	if err != nil {
		t.Fatal(err)
	}
	if !o.standalone || o.maxConfigs != 1000 || !o.stream || !o.noCORS || len(o.allow) != 2 || o.allow[1].String() != "10.1.2.3/32" {
		t.Errorf("got %+v", o)
	}
	want := []admin.Key{{Secret: "k", Role: admin.Admin, Name: "admin"}, {Secret: "v", Role: admin.Viewer, Name: "viewer"}}
	if keys := o.keys(); !slices.Equal(keys, want) {
		t.Errorf("keys are %+v, want %+v", keys, want)
	}
}

func TestBadFlagsExitWithThree(t *testing.T) {
	for _, args := range []string{
		"", "--node a --nope", "--node a extra", "--node a//b", "--node a --prefix apisix", "--node a --prefix /apisix/",
		"--node a --underlay 1.2.3", "--node a --status-listen 9096", "--node a --log-level loud", "--node a --config-provider json", "--node a --max-configs 0", "--node a --allow-admin all",
	} {
		if code := run(strings.Fields(args), env); code != daemon.ExitBadFlags {
			t.Errorf("%q: exit %d, want %d", args, code, daemon.ExitBadFlags)
		}
	}
	short := func(key string) string {
		return map[string]string{"UNILB_ADMIN_KEY": "k", "UNILB_KEYRING": "short"}[key]
	}
	if code := run([]string{"--node", "a"}, short); code != daemon.ExitBadFlags {
		t.Errorf("a keyring with a short key: exit %d, want %d", code, daemon.ExitBadFlags)
	}
	if code := run([]string{"--node", "a"}, func(string) string { return "" }); code != daemon.ExitBadFlags {
		t.Errorf("without key: exit %d, want %d", code, daemon.ExitBadFlags)
	}
}

func TestVersionNeedsNoOtherFlagAndHelpTellsOfTheEnvironment(t *testing.T) {
	nothing := func(string) string { return "" }
	if code := run([]string{"--version"}, nothing); code != 0 {
		t.Errorf("--version: exit %d, want 0", code)
	}
	for _, name := range []string{"UNILB_ADMIN_KEY", "UNILB_VIEWER_KEY", "UNILB_KEYRING", "UNILB_ETCD_USER", "UNILB_ETCD_PASSWORD"} {
		if !strings.Contains(environment, name) {
			t.Errorf("the help does not tell of %s", name)
		}
	}
}
