package obs

import (
	"bytes"
	"encoding/json"
	"net"
	"path/filepath"
	"runtime/debug"
	"testing"
)

func TestLoggerWritesJSONFromItsLevelOn(t *testing.T) {
	var b bytes.Buffer
	l, err := Logger(&b, "Warn")
	if err != nil {
		t.Fatal(err)
	}
	l.Info("quiet")
	l.Warn("loud", Node, "bj/az1/l7-1", Rev, 7)
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatalf("%s: %v", b.Bytes(), err)
	}
	if line["msg"] != "loud" || line["node"] != "bj/az1/l7-1" || line["rev"] != 7.0 {
		t.Errorf("got %v", line)
	}
	if _, err := Logger(&b, "loud"); err == nil {
		t.Error("an unknown level was taken")
	}
}

func TestReadyTellsTheServiceManager(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Ready(); err != nil {
		t.Errorf("nobody asked: %v", err)
	}
	addr := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "n"), Net: "unixgram"}
	l, err := net.ListenUnixgram("unixgram", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", addr.Name)
	if err := Ready(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, err := l.Read(buf)
	if err != nil || string(buf[:n]) != "READY=1" {
		t.Errorf("got %q, %v", buf[:n], err)
	}
	t.Setenv("NOTIFY_SOCKET", addr.Name+"-gone")
	if Ready() == nil {
		t.Error("no error though the manager cannot be told")
	}
}

func TestVersion(t *testing.T) {
	for _, tc := range []struct {
		main string
		vcs  []debug.BuildSetting
		want string
	}{
		{"v1.2.3", nil, "v1.2.3"},
		{"(devel)", nil, "devel"},
		{"", []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}}, "0123456789ab"},
		{"", []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"}}, "0123456789ab+dirty"},
	} {
		if got := version(&debug.BuildInfo{Main: debug.Module{Version: tc.main}, Settings: tc.vcs}); got != tc.want {
			t.Errorf("%q %v: got %s, want %s", tc.main, tc.vcs, got, tc.want)
		}
	}
	if Version() == "" {
		t.Error("no version")
	}
}
