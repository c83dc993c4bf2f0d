package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/unilb/unilb/conformance/labenv"
	"github.com/unilb/unilb/conformance/report"
)

// verify says everything that is wrong with what is published.
func verify(repo fs.FS) error {
	var errs []error
	err := fs.WalkDir(repo, dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == dir+"/README.md" {
			return err
		}
		parts := strings.Split(strings.TrimPrefix(name, dir+"/"), "/")
		switch {
		case len(parts) != 3 || parts[2] != report.YAMLFile && parts[2] != "README.md":
			errs = append(errs, fmt.Errorf("%s: want only <gateway>/<release>/%s and README.md", name, report.YAMLFile))
		case parts[2] == report.YAMLFile:
			if err := published(repo, name, parts[0], parts[1]); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		default:
			if _, err := fs.Stat(repo, path.Join(path.Dir(name), report.YAMLFile)); err != nil {
				errs = append(errs, err)
			}
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

// published says what is wrong with one report.
func published(repo fs.FS, name, gateway, release string) error {
	b, err := fs.ReadFile(repo, name)
	if err != nil {
		return err
	}
	r, err := report.Read(bytes.NewReader(b))
	if err != nil {
		return err
	}
	errs := []error{report.Sealed(b), fit(r)}
	if r.Gateway.Name != gateway || r.Gateway.Release() != release {
		errs = append(errs, fmt.Errorf("it is about %s %s", r.Gateway.Name, r.Gateway.Release()))
	}
	text, err := fs.ReadFile(repo, path.Join(path.Dir(name), "README.md"))
	if err == nil && string(text) != readme(r) {
		err = errors.New("its README.md is about another report: run make reports")
	}
	return errors.Join(append(errs, err)...)
}

// fit says why a report may not be published, or no longer.
func fit(r *report.Report) error {
	var errs []error
	if r.Suite.Version != labenv.SuiteVersion {
		errs = append(errs, fmt.Errorf("it is of suite %s, the suite is %s: judge the gateway again, or remove the report", r.Suite.Version, labenv.SuiteVersion))
	}
	if r.Gateway.Release() == "" {
		errs = append(errs, fmt.Errorf("version %q is none, and there is no digest of the binary", r.Gateway.Version))
	}
	if !fs.ValidPath(r.Gateway.Name) || strings.ContainsAny(r.Gateway.Name, "./") {
		errs = append(errs, fmt.Errorf("gateway %q cannot be a folder", r.Gateway.Name))
	}
	if r.Run.Command == "" {
		errs = append(errs, errors.New("it does not say how to make it again"))
	}
	if len(r.Problems) > 0 {
		errs = append(errs, fmt.Errorf("the run was not complete: %s", r.Problems[0]))
	}
	return errors.Join(errs...)
}
