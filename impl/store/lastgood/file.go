package lastgood

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/unilb/unilb/impl/store"
)

const (
	// name of the file in its directory.
	name = "config.lastgood"
	// magic is its first line. What has another was written by another version.
	magic = "unilb last good configuration 1\n"
	// maxFile is the largest file that is read, in bytes.
	maxFile = 2 << 30
)

// An Image is what a file holds.
type Image struct {
	Saved    time.Time
	Contents []Content // one for each prefix
}

// A Content is a directory of etcd as it was in force.
type Content struct {
	Prefix   string
	Revision int64
	KVs      []store.KV
}

// Of returns the content of a prefix; nil: the file has none, or is nil itself.
func (i *Image) Of(prefix string) *Content {
	if i == nil {
		return nil
	}
	for n := range i.Contents {
		if i.Contents[n].Prefix == prefix {
			return &i.Contents[n]
		}
	}
	return nil
}

// The file is the magic, a line of JSON (head), the objects of all contents one after
// the other, and the CRC-32C of everything before it, big-endian. An object is its
// key, value and two revisions; strings are preceded by their length, and all numbers
// are uvarints.
type head struct {
	Saved    time.Time     `json:"saved"`
	Contents []headContent `json:"contents"`
}

type headContent struct {
	Prefix   string `json:"prefix"`
	Revision int64  `json:"revision"`
	Objects  int    `json:"objects"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Read returns what the file in a directory holds. The error is fs.ErrNotExist when
// there is none.
func Read(dir string) (*Image, error) { return ReadFile(filepath.Join(dir, name)) }

// Is tells whether a text is the beginning of such a file.
func Is(text []byte) bool { return bytes.HasPrefix(text, []byte(magic)) }

// ReadFile is Read for a file of any name.
func ReadFile(path string) (*Image, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, more than the %d that are read", path, info.Size(), maxFile)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	img, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}

var errMalformed = errors.New("the checksum is right and the content is malformed: another version wrote it")

// decode reads a file. Values of the image point into b.
func decode(b []byte) (*Image, error) {
	if !bytes.HasPrefix(b, []byte(magic)) {
		return nil, errors.New("not a file of this kind, or of another version")
	}
	if len(b) < len(magic)+crc32.Size {
		return nil, errors.New("damaged: it is cut off")
	}
	body, sum := b[:len(b)-crc32.Size], binary.BigEndian.Uint32(b[len(b)-crc32.Size:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, errors.New("damaged or cut off: the checksum is wrong")
	}
	line, rest, ok := bytes.Cut(body[len(magic):], []byte("\n"))
	var h head
	if !ok || json.Unmarshal(line, &h) != nil {
		return nil, errMalformed
	}
	img := &Image{Saved: h.Saved}
	r := reader{b: rest}
	for _, c := range h.Contents {
		content := Content{Prefix: c.Prefix, Revision: c.Revision}
		for range c.Objects {
			kv := store.KV{Key: string(r.bytes()), Value: r.bytes(), Create: r.number(), Mod: r.number()}
			if r.bad {
				return nil, errMalformed
			}
			content.KVs = append(content.KVs, kv)
		}
		img.Contents = append(img.Contents, content)
	}
	if len(r.b) != 0 {
		return nil, errMalformed
	}
	return img, nil
}

// reader takes values off the front of b until something is wrong.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) number() int64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > math.MaxInt64 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return int64(v)
}

func (r *reader) bytes() []byte {
	n := r.number()
	if n > int64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

// write puts the image in the place of the file that is there, at once or not at all.
func write(dir string, img *Image) (size int64, err error) {
	f, err := os.CreateTemp(dir, name+".*") // of mode 0600
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // the first error says more
			_ = os.Remove(f.Name())
		}
	}()
	if size, err = encode(f, img); err != nil {
		return 0, err
	}
	if err = f.Sync(); err != nil {
		return 0, err
	}
	if err = f.Close(); err != nil {
		return 0, err
	}
	if err = os.Rename(f.Name(), filepath.Join(dir, name)); err != nil {
		return 0, err
	}
	return size, syncDir(dir)
}

// sweep removes what a write has left that was killed.
func sweep(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, name+".*")) // a pattern it does not understand has no matches
	for _, path := range left {
		_ = os.Remove(path) // it only takes room
	}
}

// syncDir makes a rename survive a loss of power.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }() // it was only read
	return d.Sync()
}

func encode(to io.Writer, img *Image) (size int64, err error) {
	const buffer = 256 << 10
	out := &summed{to: bufio.NewWriterSize(to, buffer), sum: crc32.New(castagnoli)}
	h := head{Saved: img.Saved}
	for _, c := range img.Contents {
		h.Contents = append(h.Contents, headContent{c.Prefix, c.Revision, len(c.KVs)})
	}
	line, err := json.Marshal(h)
	if err != nil {
		return 0, err
	}
	out.write([]byte(magic))
	out.write(append(line, '\n'))
	var b []byte
	for _, c := range img.Contents {
		for _, kv := range c.KVs {
			b = binary.AppendUvarint(b[:0], uint64(len(kv.Key)))
			b = append(b, kv.Key...)
			b = binary.AppendUvarint(b, uint64(len(kv.Value)))
			b = append(b, kv.Value...)
			b = binary.AppendUvarint(b, uint64(kv.Create))
			b = binary.AppendUvarint(b, uint64(kv.Mod))
			out.write(b)
		}
	}
	out.write(binary.BigEndian.AppendUint32(nil, out.sum.Sum32()))
	return out.size, out.to.Flush() // with the first error of all writes
}

type summed struct {
	to   *bufio.Writer
	sum  hash.Hash32
	size int64
}

func (s *summed) write(b []byte) {
	n, _ := s.to.Write(b) // Flush tells the error
	_, _ = s.sum.Write(b) // never fails
	s.size += int64(n)
}
