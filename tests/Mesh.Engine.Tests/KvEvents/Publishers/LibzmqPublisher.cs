using System.Diagnostics;
using System.Globalization;

namespace Mesh.Engine.Tests.KvEvents.Publishers;

/// <summary>A publisher process over libzmq: <c>publisher.py</c> with its arguments.</summary>
internal sealed class LibzmqPublisher : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    private LibzmqPublisher(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    public int Port { get; private init; }

    /// <summary>The replay port, or 0.</summary>
    public int ReplayPort { get; private init; }

    public static async Task<LibzmqPublisher> StartAsync(params object[] arguments)
    {
        var script = Path.Combine(AppContext.BaseDirectory, "KvEvents", "Publishers", "publisher.py");
        var start = new ProcessStartInfo(PyzmqFactAttribute.Python, [script, .. arguments.Select(a => Convert.ToString(a, CultureInfo.InvariantCulture)!)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start)!;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var ports = await process.StandardOutput.ReadLineAsync(timeout.Token);
        if (ports is null) Assert.Fail("the publisher did not start: " + await process.StandardError.ReadToEndAsync());
        var both = ports.Split(' ');
        return new LibzmqPublisher(process) { Port = int.Parse(both[0], CultureInfo.InvariantCulture), ReplayPort = int.Parse(both[1], CultureInfo.InvariantCulture) };
    }

    /// <summary>Waits until it has published everything.</summary>
    public async Task DoneAsync()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        if (await _process.StandardOutput.ReadLineAsync(timeout.Token) != "done") Assert.Fail("the publisher ended: " + await _errors);
    }

    /// <summary>Kills it at once, as a machine that fails.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        Assert.Equal("", await _errors);
        _process.Dispose();
    }
}
