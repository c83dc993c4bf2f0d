// Package files owns the certificate of a listener of ours, its key, and the authorities
// of those who may connect, where these are files that somebody renews.
//
// It opens no listener. A Files is safe for concurrent use.
package files

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"

	"github.com/unilb/unilb/impl/obs"
)

// maxFile bounds what is read of a file, in bytes.
const maxFile = 4 << 20

// Paths are the files. Cert and Key are required.
type Paths struct {
	// Cert holds the certificate and what vouches for it below the root, Key its
	// private key, both as PEM.
	Cert, Key string
	// ClientCA holds the certificates of authorities; a client must show a certificate
	// of one of them. Empty: clients are asked for none.
	ClientCA string
}

// Files are what was read last that was right.
type Files struct {
	paths Paths

	mu   sync.Mutex
	seen []fs.FileInfo // of the files as they were read, or tried
	now  *tls.Config
}

// Load reads the files. The error names the file and says what to do.
func Load(p Paths) (*Files, error) {
	f := &Files{paths: p}
	if err := f.Reload(); err != nil {
		return nil, err
	}
	return f, nil
}

// Config is that of a listener. For each connection it looks whether a file was
// replaced; when the new ones are wrong, the old ones stay and the log says why.
func (f *Files) Config(log *slog.Logger) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return f.current(log), nil },
	}
}

func (f *Files) current(log *slog.Logger) *tls.Config {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.look()
	if same(seen, f.seen) {
		return f.now
	}
	f.seen = seen
	if err := f.read(); err != nil {
		log.Error("certificate not renewed", obs.Err, err)
	} else {
		log.Info("certificate renewed", "path", f.paths.Cert)
	}
	return f.now
}

// Reload reads the files again, whether they look new or not. After an error what was
// right before is served on.
func (f *Files) Reload() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = f.look()
	return f.read()
}

// look is what the files look like. One that is replaced after it was looked at and
// before it is read looks new the next time.
func (f *Files) look() []fs.FileInfo {
	var out []fs.FileInfo
	for _, path := range []string{f.paths.Cert, f.paths.Key, f.paths.ClientCA} {
		info, err := os.Stat(path)
		if err != nil {
			info = nil // reading it says why
		}
		out = append(out, info)
	}
	return out
}

func same(a, b []fs.FileInfo) bool {
	for i, x := range a {
		y := b[i]
		switch {
		case x == nil && y == nil:
		case x == nil || y == nil || !os.SameFile(x, y) || x.Size() != y.Size() || !x.ModTime().Equal(y.ModTime()):
			return false
		}
	}
	return true
}

func (f *Files) read() error {
	cert, err := text(f.paths.Cert)
	if err != nil {
		return err
	}
	key, err := text(f.paths.Key)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("%s and %s: %w; want a certificate and its private key, both as PEM", f.paths.Cert, f.paths.Key, err)
	}
	// No sessions: one that was made when other authorities were trusted would be
	// resumed. HTTP/1.1 is what the listener speaks.
	next := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}, SessionTicketsDisabled: true,
	}
	if f.paths.ClientCA != "" {
		ca, err := text(f.paths.ClientCA)
		if err != nil {
			return err
		}
		next.ClientAuth, next.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		if !next.ClientCAs.AppendCertsFromPEM(ca) {
			return fmt.Errorf("%s holds no certificate; want those of authorities, as PEM", f.paths.ClientCA)
		}
	}
	f.now = next
	return nil
}

func text(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("%s: want a file of %d bytes at most", path, maxFile)
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w; let user %d read it", err, os.Getuid())
	}
	return b, err
}
