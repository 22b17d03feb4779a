using System.CommandLine;
using Mesh.Cli.Output;

namespace Mesh.Cli.Commands;

/// <summary><c>mesh completion SHELL</c>: a script for the shell, which then asks the tool itself what can follow.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # mesh: completion for bash. Add to ~/.bashrc:  source <(mesh completion bash)
        _mesh_complete() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$(mesh "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _mesh_complete mesh

        """;

    private const string Zsh = """
        #compdef mesh
        # mesh: completion for zsh. Add to ~/.zshrc after compinit:  source <(mesh completion zsh)
        _mesh_complete() {
            local -a answers
            answers=("${(@f)$(mesh "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            compadd -a answers
        }
        compdef _mesh_complete mesh

        """;

    private const string Fish = """
        # mesh: completion for fish. Add to ~/.config/fish/config.fish:  mesh completion fish | source
        complete -c mesh -f -a '(set -l line (commandline -cp); mesh "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)'

        """;

    public static Command Create(ToolConsole console)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "Print a script that completes commands, options and names in a shell.") { shell };
        command.SetAction(arguments =>
        {
            console.Out.Write(arguments.GetRequiredValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish });
            return ExitCodes.Done;
        });
        return command;
    }
}
