package gateway

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

// keeping has a gateway keep its configuration in dir, and write it at once.
func keeping(dir string) func(*Options) {
	return func(o *Options) { o.StateDir, o.StateEvery = dir, time.Millisecond }
}

// lastGood is what the status listener says of the file.
func (r *region) lastGood() lastGoodStatus {
	r.t.Helper()
	var v struct {
		LastGood lastGoodStatus `json:"last_good"`
	}
	_, body := r.get("http://"+r.status+"/status/config", "")
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		r.t.Fatalf("%s: %v", body, err)
	}
	return v.LastGood
}

func (r *region) comesTrue(what string, cond func() bool) {
	r.t.Helper()
	for limit := time.Now().Add(30 * time.Second); !cond(); {
		if time.Now().After(limit) {
			r.t.Fatalf("not reached: %s; %+v", what, r.lastGood())
		}
	}
}

// listens waits for the status listener.
func (r *region) listens() {
	r.t.Helper()
	for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); <-time.After(time.Millisecond) {
		if c, err := net.Dial("tcp", r.status); err == nil {
			c.Close()
			return
		}
	}
	r.t.Fatal("nobody listens for status")
}

func (r *region) end() {
	r.t.Helper()
	r.stop()
	err := <-r.ended
	r.ended <- err
}

func TestGatewayThatStartsWhileEtcdIsAwayServesWhatItHadAndCatchesUp(t *testing.T) {
	etcd, dir := etcdtest.Start(t), t.TempDir()
	one, two := backend(t, "one"), backend(t, "two")
	r := startOn(t, etcd, EngineStd, keeping(dir))
	r.put("/apisix", "routes/1", `{"uri":"/*","host":"shop.example","upstream":{"nodes":{"`+one+`":1}}}`)
	r.put("/apisix", "routes/gone", `{"uri":"/*","host":"gone.example","upstream":{"nodes":{"`+one+`":1}}}`)
	r.put("/apisix", "routes/bad", `{"uri":"/*","host":"bad.example","upstream":{"nodes":{"`+one+`":1}}}`)
	r.put("/apisix", "routes/bad", `{"uri":1}`)
	hash := r.hash()
	r.end()
	etcd.Down()

	r = startOn(t, etcd, EngineStd, keeping(dir))
	for _, host := range []string{"shop.example", "gone.example", "bad.example"} {
		if status, body := r.get("http://"+r.data+"/", host); status != 200 || body != "one" {
			t.Errorf("%s while etcd is away: %d %q", host, status, body)
		}
	}
	if got := r.hash(); got != hash {
		t.Errorf("while etcd is away: the hash is %s, want %s as before", got, hash)
	}
	if l := r.lastGood(); len(l.InForce) != 2 || l.InForce["/apisix"].Revision == 0 {
		t.Errorf("while etcd is away: got %+v, want both prefixes in force from disk", l)
	}
	if _, body := r.get("http://"+r.status+"/metrics", ""); !strings.Contains(body, `unilb_last_good_in_force{prefix="/apisix"} 1`) {
		t.Error("the metric does not say that the configuration is from disk")
	}

	etcd.Up()
	r.comesTrue("both prefixes from etcd", func() bool { return len(r.lastGood().InForce) == 0 })
	if got := r.hash(); got != hash {
		t.Errorf("after etcd is back: the hash is %s, want %s as before", got, hash)
	}
	r.put("/apisix", "routes/gone", "")
	r.put("/apisix", "routes/1", `{"uri":"/*","host":"shop.example","upstream":{"nodes":{"`+two+`":1}}}`)
	if _, body := r.get("http://"+r.data+"/", "shop.example"); body != "two" {
		t.Errorf("after etcd is back: got %q, want what it has now", body)
	}
	if status, _ := r.get("http://"+r.data+"/", "gone.example"); status != 404 {
		t.Errorf("deleted after etcd is back: got %d, want 404", status)
	}
	if status, _ := r.get("http://"+r.data+"/", "bad.example"); status != 200 {
		t.Errorf("refused object: got %d, want its last good version", status)
	}
}

func TestGatewayFindsOutWhatWasChangedWhileItServedFromDisk(t *testing.T) {
	etcd, dir := etcdtest.Start(t), t.TempDir()
	one, two := backend(t, "one"), backend(t, "two")
	route := func(host, to string) string {
		return fmt.Sprintf(`{"uri":"/*","host":%q,"upstream":{"nodes":{%q:1}}}`, host, to)
	}
	r := startOn(t, etcd, EngineStd, keeping(dir))
	r.put("/apisix", "routes/same", route("same.example", one))
	r.put("/apisix", "routes/moved", route("moved.example", one))
	r.put("/apisix", "routes/gone", route("gone.example", one))
	r.end()
	// The gateway begins on a link that is cut, and etcd goes on meanwhile.
	link := etcdtest.NewLink(t, etcd.Addr())
	link.Cut()
	r = begin(t, link.Endpoint(), EngineStd, keeping(dir))
	r.isReady()
	before := r.rebuilt()
	st := openStore(t, etcd.Endpoint())
	rev, err := st.Commit(t.Context(), nil, store.Op{Key: "/apisix/routes/moved", Value: []byte(route("moved.example", two))},
		store.Op{Key: "/apisix/routes/gone", Delete: true})
	if err != nil {
		t.Fatal(err)
	}
	link.Heal()
	if status, body := r.get("http://"+r.status+fmt.Sprintf("/status/applied?prefix=/apisix&revision=%d&timeout=30s", rev), ""); status != 200 {
		t.Fatalf("does not catch up: %s", body)
	}
	for host, want := range map[string]string{"same.example": "200 one", "moved.example": "200 two", "gone.example": "404"} {
		status, body := r.get("http://"+r.data+"/", host)
		if got := fmt.Sprint(status, " ", body); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", host, got, want)
		}
	}
	if n := r.rebuilt() - before; n != 1 {
		t.Errorf("%g objects were rebuilt, want the one that was changed", n)
	}
}

// onlyFile is the one file of a folder.
func onlyFile(t *testing.T, dir string) (path string, content []byte) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files: %v %v", files, err)
	}
	if content, err = os.ReadFile(files[0]); err != nil {
		t.Fatal(err)
	}
	return files[0], content
}

func TestDamagedFileIsIgnoredAndSaidToBe(t *testing.T) {
	etcd, dir := etcdtest.Start(t), t.TempDir()
	r := startOn(t, etcd, EngineStd, keeping(dir))
	r.put("/apisix", "routes/1", `{"uri":"/*","upstream":{"nodes":{"127.0.0.1:1":1}}}`)
	r.end()
	file, b := onlyFile(t, dir)
	if err := os.WriteFile(file, b[:len(b)-7], 0o600); err != nil {
		t.Fatal(err)
	}
	etcd.Down()
	r = begin(t, etcd.Endpoint(), EngineStd, keeping(dir))
	r.listens()
	r.comesTrue("the file is refused", func() bool { return r.lastGood().Unused != "" })
	if got := r.lastGood().Unused; !strings.Contains(got, "damaged") || !strings.Contains(got, file) {
		t.Errorf("got %q, want what is damaged", got)
	}
	if status, _ := r.get("http://"+r.status+"/status/ready", ""); status != 503 {
		t.Errorf("ready without a configuration: %d", status)
	}
	etcd.Up()
	r.isReady()
	if status, _ := r.get("http://"+r.data+"/", ""); status != 502 {
		t.Errorf("with etcd back: got %d, want the route's", status)
	}
}

func TestNoPrivateKeyIsWrittenInClear(t *testing.T) {
	ring, _, err := apisix.ParseKeyring("")
	if err != nil {
		t.Fatal(err)
	}
	etcd, dir := etcdtest.Start(t), t.TempDir()
	change := []func(*Options){keeping(dir), func(o *Options) { o.Keyring = ring }}
	r := startOn(t, etcd, EngineStd, change...)
	r.put("/apisix", "ssls/1", sslObject(t, "shop.example")) // in clear, as no Admin API does
	r.put("/apisix", "plugin_metadata/x", `{"secret":"-----BEGIN PRIVATE KEY-----"}`)
	r.end()
	err = fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v, want 0600", path, info.Mode(), err)
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		if strings.Contains(string(b), "PRIVATE KEY") || !strings.Contains(string(b), "/apisix/ssls/1") {
			t.Errorf("%s holds a private key in clear, or nothing", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	etcd.Down()
	r = startOn(t, etcd, EngineStd, change...)
	if _, body := r.get("http://"+r.status+"/status/config", ""); !strings.Contains(body, `"ssls":1`) {
		t.Errorf("the certificate is not in force: %s", body)
	}
}

func (r *region) rebuilt() (n float64) {
	r.t.Helper()
	_, body := r.get("http://"+r.status+"/metrics", "")
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "unilb_config_objects_rebuilt_total ") {
			if _, err := fmt.Sscanf(line, "unilb_config_objects_rebuilt_total %g", &n); err != nil {
				r.t.Fatal(err)
			}
			return n
		}
	}
	r.t.Fatal("no metric of objects rebuilt")
	return 0
}
