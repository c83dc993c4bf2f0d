//go:build netns

package lab_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/sim/wire"
	"github.com/unilb/unilb/topology"
)

const blue = "idc/bj/blue-1--bj/edge"

func TestLabKeepsWhatItsWiresCarried(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapTUN)
	l := up(t)
	w, err := l.Wire(blue)
	if err != nil {
		t.Fatal(err)
	}
	if all := l.Wires(); len(all) != 1 || all[0] != w || w.Medium() != wire.MediumTAP {
		t.Errorf("wires: got %v, want the one of %s", all, blue)
	}
	edge := node(t, l, "bj/edge")
	conn, err := dial(t, edge, "10.20.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequest(http.MethodGet, "http://blue.example/here", nil)
	if err := req.Write(conn); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
	if err := l.Down(context.Background()); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := l.Capture(&file, "idc/**"); err != nil {
		t.Fatal(err)
	}
	if path := os.Getenv("LBSIM_KEEP_CAPTURE"); path != "" { // to look at it with Wireshark
		_ = os.WriteFile(path, file.Bytes(), 0o644)
	}
	checkConversation(t, &file)
}

// checkConversation wants the request in the file, before its answer, on the link.
func checkConversation(t *testing.T, file io.Reader) {
	t.Helper()
	r, err := pcapgo.NewNgReader(file, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	var asked, answered bool
	last := time.Time{}
	for {
		data, ci, o, err := r.ReadPacketDataWithOptions()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if in, err := r.Interface(ci.InterfaceIndex); err != nil || in.Name != blue {
			t.Errorf("interface: got %q (%v), want %q", in.Name, err, blue)
		}
		if ci.Timestamp.Before(last) {
			t.Errorf("a packet of %v after one of %v", ci.Timestamp, last)
		}
		last = ci.Timestamp
		app := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.Default).ApplicationLayer()
		if app == nil || o.Flags == nil {
			continue
		}
		text := string(app.Payload())
		switch { // the server is the first end of the link
		case strings.HasPrefix(text, "GET /here"):
			asked = o.Flags.Direction == pcapgo.NgEpbFlagDirectionInbound
		case strings.HasPrefix(text, "HTTP/1.1 200"):
			answered = asked && o.Flags.Direction == pcapgo.NgEpbFlagDirectionOutbound
		}
	}
	if !asked || !answered {
		t.Errorf("request inbound: %t, then answer outbound: %t", asked, answered)
	}
}

func TestCaptureOfWhatIsNoWireSaysWhy(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapTUN)
	l := up(t)
	const veth = "client/inet-1--bj/edge"
	if _, err := l.Wire(veth); err == nil || !strings.Contains(err.Error(), "kernel link") {
		t.Errorf("wire %s: got %v, want an error that says that it is a kernel link", veth, err)
	}
	if _, err := l.Wire("nowhere--never"); err == nil {
		t.Error("a wire that is not in the plan was found")
	}
	refused := func(sel topology.LinkSelector, want string) {
		t.Helper()
		if err := l.Capture(io.Discard, sel); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("capture %q: got %v, want an error with %q", sel, err, want)
		}
	}
	refused("client/**", "none of the 1 wires")
	refused("", "link")
	if err := l.Down(context.Background()); err != nil {
		t.Fatal(err)
	}
	l, err := lab.Up(ctx(t), small("server"), lab.Options{BinDir: bins(t), Dir: t.TempDir(), CaptureBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Down(context.Background()) }()
	refused("idc/**", "keeps no frames")
}
