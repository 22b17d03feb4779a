using System.CommandLine;
using System.Text.Json;
using Mesh.Cli.Explaining;
using Mesh.Cli.Output;
using Mesh.Cli.Serving;

namespace Mesh.Cli.Commands;

/// <summary><c>mesh explain request ID</c>: how a running gateway placed a request, and among whom it chose.</summary>
internal static class ExplainRequestCommand
{
    public static Command Create(ToolConsole console)
    {
        var id = new Argument<string>("ID") { Description = "Id of the request: the header x-request-id of its answer." };
        var output = OutputOption.Create();
        var command = new Command("request", "Show how a running gateway placed a request: the candidates, their scores and predictions, and the reason.")
        {
            id, output,
        };
        var servers = ServerOptions.AddTo(command, console);
        command.SetAction(async (arguments, cancellationToken) => servers.Find(arguments) is { } server
            ? await RunAsync(console, server, arguments.GetRequiredValue(id), OutputOption.Read(arguments, output), cancellationToken)
            : ExitCodes.Failed);
        return command;
    }

    private static async Task<int> RunAsync(ToolConsole console, AdminServer server, string id, OutputFormat format, CancellationToken cancellationToken)
    {
        if (await server.GetAsync($"/mesh/v1/decisions/{Uri.EscapeDataString(id)}", "decisions", cancellationToken) is not { } answer) return ExitCodes.Failed;
        if (format == OutputFormat.Json)
        {
            JsonText.Write(console, answer);
            return ExitCodes.Done;
        }

        if (!answer.TryGetProperty("decisions", out var decisions) || decisions.ValueKind != JsonValueKind.Array)
        {
            console.Problem("The gateway's answer has no decisions", "compare its version with mesh version");
            return ExitCodes.Failed;
        }

        // Of a request that was tried several times the first attempt is told first.
        foreach (var decision in decisions.EnumerateArray().Reverse())
        {
            if (decision.ValueKind == JsonValueKind.Object) new DecisionText(console, decision).Write();
        }

        return ExitCodes.Done;
    }
}
