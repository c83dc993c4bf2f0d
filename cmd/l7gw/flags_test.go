package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/proxy"
	"github.com/unilb/unilb/impl/route"
)

func none(string) string { return "" }

func TestStandaloneNeedsNoFlags(t *testing.T) {
	o, err := parse([]string{"--standalone"}, none)
	if err != nil {
		t.Fatal(err)
	}
	if o.listen[0] != "127.0.0.1:9080" || o.adminListen != "127.0.0.1:9180" || o.statusListen != "127.0.0.1:9092" || o.node == "" || o.drainDelay != 0 {
		t.Errorf("defaults %+v", o)
	}
	if o, err = parse([]string{"--standalone", "--listen", ":80", "--drain-delay", "1s"}, none); err != nil || o.listen[0] != ":80" || o.drainDelay == 0 {
		t.Errorf("flags lose against defaults: %+v %v", o, err)
	}
}

func TestFlagsOfADeployment(t *testing.T) {
	o, err := parse(strings.Fields("--node bj/az1/l7-1 --zone az1 --region bj --etcd http://a:1,http://b:1 --listen :80 --listen :81 --underlay 10.101.4.3 --member-address 100.127.0.1"), none)
	if err != nil {
		t.Fatal(err)
	}
	r, err := o.registration()
	if err != nil || r.Kind != "l7gw" || r.Status != "http://10.101.4.3:9092" || r.Member.String() != "100.127.0.1" || len(o.listen) != 2 || len(o.etcd) != 2 {
		t.Errorf("registration %+v, options %+v, %v", r, o, err)
	}
}

func TestRoutersAndPathsAreSettings(t *testing.T) {
	o, err := parse(strings.Fields("--node a --http-router=radixtree_uri_with_parameter --match-uri-encoded-slash --delete-uri-tail-slash --normalize-uri-like-servlet"), none)
	if err != nil || o.router != route.URIWithParameter || o.paths != (proxy.Paths{EncodedSlash: true, TailSlash: true, Servlet: true}) {
		t.Errorf("options %+v, %v", o, err)
	}
	if o, err = parse(strings.Fields("--node a"), none); err != nil || o.router != route.HostURI || o.paths != (proxy.Paths{}) {
		t.Errorf("defaults %+v, %v", o, err)
	}
}

func TestProxiesThatAreBelievedAreSettings(t *testing.T) {
	o, err := parse(strings.Fields("--node a"), none)
	if err != nil || len(o.peers.Trusted) != 0 || fmt.Sprint(o.peers.RealIPFrom) != "[127.0.0.1/32]" || o.peers.RealIPHeader != "X-Real-IP" {
		t.Errorf("defaults %+v, %v", o, err)
	}
	o, err = parse(strings.Fields("--node a --trusted-addresses 10.0.0.0/8,2001:db8::1 --real-ip-from= --real-ip-header X-Forwarded-For"), none)
	if err != nil || fmt.Sprint(o.peers.Trusted) != "[10.0.0.0/8 2001:db8::1/128]" || len(o.peers.RealIPFrom) != 0 || o.peers.RealIPHeader != "X-Forwarded-For" {
		t.Errorf("options %+v, %v", o, err)
	}
}

func TestSecretsComeFromTheEnvironment(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	env := map[string]string{"UNILB_KEYRING": "0123456789abcdef", "UNILB_TICKET_SECRET": secret}
	get := func(name string) string { return env[name] }
	o, err := parse(strings.Fields("--node a --listen-tls :443 --listen-tls :8443 --fallback-sni a.example"), get)
	if err != nil || len(o.listenTLS) != 2 || o.fallbackSNI != "a.example" || o.ticketSecret != secret || o.keyring == nil {
		t.Errorf("options %+v, %v", o, err)
	}
	for name := range env {
		before := env[name]
		env[name] = "short"
		if code := run([]string{"--node", "a"}, get); code != exitBadFlags {
			t.Errorf("%s is short: exit code %d, want %d", name, code, exitBadFlags)
		}
		env[name] = before
	}
}

func TestBadFlagsExitWithThree(t *testing.T) {
	for _, args := range []string{"", "--node a//b", "--node a extra", "--node a --prefix apisix", "--node a --status-listen nonsense", "--nonsense",
		"--node a --client-head-timeout 0s", "--node a --client-min-rate -2", "--node a --client-max-head 5", "--node a --client-max-conns 0", "--node a --match-body 1023", "--node a --match-body 67108865", "--node a --match-body 4096 --match-bodies 4095", "--node a --http-router radixtree", "--node a --trusted-addresses 10.0.0.0/33", "--node a --real-ip-from everybody", "--node a --compare-every 10ms", "--node a --compare-every 2h", "--node a --config-provider json",
	} {
		if code := run(strings.Fields(args), none); code != exitBadFlags {
			t.Errorf("%q: exit code %d, want %d", args, code, exitBadFlags)
		}
	}
}

func TestOneAddressIsNotServedBothWays(t *testing.T) {
	_, err := parse(strings.Fields("--node a --listen :80 --listen :81 --listen-tls 0.0.0.0:81"), none)
	if err == nil || err.Error() != "--listen :81 and --listen-tls 0.0.0.0:81 are one address: it is served with TLS or without" {
		t.Errorf("got %v, want both named", err)
	}
	if _, err := parse(strings.Fields("--node a --listen :80 --listen-tls 127.0.0.1:80"), none); err != nil {
		t.Errorf("an address of its own: %v", err)
	}
}

func TestHelpNamesTheEnvironmentAndNoSecretOfIt(t *testing.T) {
	secret := func(string) string { return "0123456789abcdef" }
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = w
	_, failed := parse([]string{"--help"}, secret)
	os.Stderr = before
	w.Close()
	text, err := io.ReadAll(r)
	if err != nil || !errors.Is(failed, flag.ErrHelp) {
		t.Fatal(err, failed)
	}
	for _, name := range []string{"UNILB_KEYRING", "UNILB_TICKET_SECRET", "UNILB_ETCD_USER", "UNILB_ETCD_PASSWORD", "UNILB_ADMIN_KEY"} {
		if !strings.Contains(string(text), name) {
			t.Errorf("the help does not name %s", name)
		}
	}
	if strings.Contains(string(text), secret("")) {
		t.Error("the help shows the key of the Admin API")
	}
}
