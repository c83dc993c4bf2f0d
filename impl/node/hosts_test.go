package node

import (
	"fmt"
	"testing"
)

func TestHostsOfURLs(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"http://10.101.7.3:2379", "[10.101.7.3]"},
		{" https://10.101.7.3 ", "[10.101.7.3]"},
		{"10.101.7.3:2379", "[10.101.7.3]"},
		{"10.101.7.3", "[10.101.7.3]"},
		{"http://[::ffff:10.101.7.3]:2379", "[10.101.7.3]"},
		{"http://localhost:2379", "[127.0.0.1]"},
		{"", "[]"},
	} {
		got, err := HostAddresses(t.Context(), c.url)
		if fmt.Sprint(got) != c.want || err != nil {
			t.Errorf("%q: got %v, %v, want %s", c.url, got, err, c.want)
		}
	}
	got, err := HostAddresses(t.Context(), "http://no-such-host.invalid:2379", "http://10.0.0.1:2379")
	if err == nil || fmt.Sprint(got) != "[10.0.0.1]" {
		t.Errorf("a name that does not resolve: got %v, %v, want the other and an error", got, err)
	}
	if got := (Registration{Status: "http://10.1.0.3:9092"}).StatusHost(); got.String() != "10.1.0.3" {
		t.Errorf("status host: got %s", got)
	}
	if got := (Registration{Status: "http://node:9092"}).StatusHost(); got.IsValid() {
		t.Errorf("status host of a name: got %s, want none", got)
	}
}
