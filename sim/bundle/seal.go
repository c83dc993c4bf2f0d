package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
)

// sealed are the files on which a verdict rests, beside the history, which has
// tallies of its own.
var sealed = []string{RunFile, PlanFile, ScenarioFile, TopologyFile, FactsFile, ChecksFile, VerdictFile}

// errChanged says that a file is not as the run left it.
var errChanged = errors.New("it does not hold what the run wrote")

// Seal writes down what the files on which the verdict rests hold. It is the last
// file of a run.
func (b *Bundle) Seal() error {
	sums, err := b.sums()
	if err != nil {
		return err
	}
	return b.WriteJSON(SealFile, sums)
}

// Unbroken says whether the files on which the verdict rests are as the run left
// them. The error is *Damaged, and names the first that is not.
func (b *Bundle) Unbroken() error {
	var want map[string]string
	if err := b.ReadJSON(SealFile, &want); err != nil {
		return err
	}
	got, err := b.sums()
	if err != nil {
		return err
	}
	for _, name := range sealed {
		switch {
		case want[name] != "" && got[name] == "":
			return &Damaged{b.Path(name), fs.ErrNotExist}
		case want[name] != got[name]:
			return &Damaged{b.Path(name), errChanged}
		}
	}
	return nil
}

// sums are the SHA-256 of those of the sealed files that are there.
func (b *Bundle) sums() (map[string]string, error) {
	out := map[string]string{}
	for _, name := range sealed {
		if _, err := os.Stat(b.Path(name)); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		text, err := b.Read(name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		out[name] = hex.EncodeToString(sum[:])
	}
	return out, nil
}
