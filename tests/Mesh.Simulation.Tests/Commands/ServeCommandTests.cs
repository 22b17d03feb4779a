using System.CommandLine;
using Mesh.Simulation.Commands;
using Mesh.Simulation.Server;

namespace Mesh.Simulation.Tests.Commands;

public class ServeCommandTests
{
    [Fact]
    public async Task Serve_UntilCancelled_PrintsItsAddressAndEndsWithZero()
    {
        using var end = new CancellationTokenSource();
        var output = new AddressWaiter(end);
        var code = await RunAsync(["serve", "--port", "0", "--model", "llama", "--lora", "a", "--lora", "b=llama"], output, new StringWriter(), end.Token);
        Assert.Equal(0, code);
        Assert.Contains("Simulated vLLM on http://127.0.0.1:", output.ToString());
        Assert.Contains("models: llama, a, b", output.ToString());
        Assert.Contains("0 requests answered", output.ToString());
    }

    [Theory]
    [InlineData("Cannot start on 127.0.0.1:8000: speed 0 is not above 0 and up to 100000.", "serve", "--speed", "0")]
    [InlineData("port 70000 is not 0–65535", "serve", "--port", "70000")]
    [InlineData("adapter 'a' has an unknown base model 'b'", "serve", "--lora", "a=b")]
    [InlineData("'many'", "serve", "--port", "many")]
    [InlineData("--sped", "serve", "--sped", "2")]
    public async Task Serve_BadArguments_SaysWhatIsWrong(string expected, params string[] args)
    {
        var error = new StringWriter();
        Assert.Equal(1, await RunAsync(args, new StringWriter(), error, CancellationToken.None));
        Assert.Contains(expected, error.ToString());
    }

    [Fact]
    public async Task Serve_PortInUse_SaysSo()
    {
        await using var taken = await SimulatedVllmServer.StartAsync(new SimulatedVllmOptions(), CancellationToken.None);
        var error = new StringWriter();
        Assert.Equal(1, await RunAsync(["serve", "--port", $"{taken.Port}"], new StringWriter(), error, CancellationToken.None));
        Assert.Contains("address already in use", error.ToString());
    }

    private static Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var root = new RootCommand { ServeCommand.Create() };
        return root.Parse(args).InvokeAsync(new InvocationConfiguration { Output = output, Error = error }, cancellationToken);
    }

    /// <summary>Ends the command as soon as it has printed its first line.</summary>
    private sealed class AddressWaiter(CancellationTokenSource end) : StringWriter
    {
        public override async Task WriteLineAsync(string? value)
        {
            await base.WriteLineAsync(value);
            await end.CancelAsync();
        }
    }
}
