package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

func TestPackHoldsEverythingInOrderAndIsReproducible(t *testing.T) {
	b, err := Create(t.TempDir(), "az-loss", time.Unix(0, 0), 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"run.yaml", "logs/bj/az1/l7-1/gateway.log", "etcd/bj.json"} {
		if err := b.WriteText(name, name); err != nil {
			t.Fatal(err)
		}
	}
	var packs [2]bytes.Buffer
	for i := range packs {
		if n, err := b.Pack(&packs[i]); err != nil || n != 3 {
			t.Fatalf("packed %d files, %v, want 3", n, err)
		}
	}
	if !bytes.Equal(packs[0].Bytes(), packs[1].Bytes()) {
		t.Error("two packs of one run differ")
	}
	z, err := zstd.NewReader(&packs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var names []string
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		rel := strings.TrimPrefix(h.Name, "az-loss/1970-01-01T00-00-00-7/")
		names = append(names, rel)
		if text, _ := io.ReadAll(r); h.Typeflag == tar.TypeReg && string(text) != rel {
			t.Errorf("%s holds %q", h.Name, text)
		}
	}
	want := []string{"", "etcd/", "etcd/bj.json", "logs/", "logs/bj/", "logs/bj/az1/", "logs/bj/az1/l7-1/", "logs/bj/az1/l7-1/gateway.log", "run.yaml"}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

func TestPackRefusesWhatIsNoFile(t *testing.T) {
	b := &Bundle{Dir: t.TempDir()}
	if err := os.Symlink("/etc/passwd", b.Path("logs")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Pack(io.Discard); err == nil || !strings.Contains(err.Error(), "logs") {
		t.Errorf("got %v, want an error that names the link", err)
	}
}
