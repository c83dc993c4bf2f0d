package model

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// CertDir is where certificates lie below the directory of a gateway's process.
const CertDir = "certs"

// In is the model for a gateway whose directory is dir: its certificates name
// files there. The files, by path below dir, have names that follow from their
// contents, so that new ones never change old ones.
func (m *Model) In(dir string) (there *Model, files map[string]string) {
	out := *m
	files = map[string]string{}
	out.Certificates = slices.Clone(m.Certificates)
	for i := range out.Certificates {
		c := &out.Certificates[i]
		c.Pairs = slices.Clone(c.Pairs)
		for j := range c.Pairs {
			p := &c.Pairs[j]
			base := filepath.Join(CertDir, fmt.Sprintf("%s-%d", c.Name, j))
			for _, f := range []struct {
				path *string
				name string
				text string
			}{{&p.CertFile, base + ".crt", pem(p.Cert)}, {&p.KeyFile, base + ".key", pem(p.Key)}, {&p.File, base + ".pem", pem(p.Cert) + pem(p.Key)}} {
				*f.path, files[f.name] = filepath.Join(dir, f.name), f.text
			}
		}
	}
	out.ServerNames = serverNames(out.Certificates)
	return &out, files
}

func pem(s string) string { return strings.TrimSpace(s) + "\n" }
