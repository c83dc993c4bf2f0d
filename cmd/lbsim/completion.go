package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"
)

// completionCommand prints the script by which a shell asks us for words.
func completionCommand(out *output) *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	cmd := &cobra.Command{
		Use: "completion bash|zsh|fish", Short: "Print the script by which a shell completes our words",
		Args: args(cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)), ValidArgs: shells,
		Long: "Print the script by which a shell completes commands, labs, nodes, links, faults, runs and\ntopologies.",
		Example: "  source <(lbsim completion bash)\n  lbsim completion zsh > ~/.zfunc/_lbsim\n" +
			"  lbsim completion fish > ~/.config/fish/completions/lbsim.fish",
	}
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		var script bytes.Buffer
		var err error
		switch root := cmd.Root(); a[0] {
		case "bash":
			err = root.GenBashCompletionV2(&script, true)
		case "zsh":
			err = root.GenZshCompletion(&script)
		case "fish":
			err = root.GenFishCompletion(&script, true)
		}
		if err != nil {
			return fmt.Errorf("write completion for %s: %w", a[0], err)
		}
		if out.json {
			return out.object("completion", map[string]string{"shell": a[0], "script": script.String()})
		}
		_, err = script.WriteTo(out.to)
		return err
	}
	return cmd
}
