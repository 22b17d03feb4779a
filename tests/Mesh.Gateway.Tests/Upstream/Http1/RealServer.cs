using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Tests.Support;
using Mesh.Testing.Net;

namespace Mesh.Gateway.Tests.Upstream.Http1;

/// <summary>A server of somebody else's, as a process, with its files in a directory of its own.</summary>
internal sealed class RealServer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly DirectoryInfo _directory;

    private RealServer(Process process, DirectoryInfo directory, IPEndPoint address)
    {
        _process = process;
        _directory = directory;
        Id = new EndpointId(address.ToString());
    }

    public EndpointId Id { get; }

    /// <summary>Where a program is; null when it is not installed.</summary>
    public static string? Find(string program) =>
        new[] { "/usr/bin", "/usr/sbin", "/usr/local/bin" }.Select(d => Path.Combine(d, program)).FirstOrDefault(File.Exists);

    /// <param name="program">Program.</param>
    /// <param name="file">Name of its configuration or script.</param>
    /// <param name="text">What stands in it; <c>$IP</c>, <c>$PORT</c> and <c>$DIR</c> are filled in.</param>
    /// <param name="args">Arguments, with the same names.</param>
    public static async Task<RealServer> StartAsync(string program, string file, string text, params string[] args)
    {
        var directory = Directory.CreateTempSubdirectory("mesh-server-");
        var address = FreePorts.NextAddress();
        string Fill(string s) => s.Replace("$IP", address.Address.ToString(), StringComparison.Ordinal)
            .Replace("$PORT", address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("$DIR", directory.FullName, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(directory.FullName, file), Fill(text));
        var start = new ProcessStartInfo(Find(program)!) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = directory.FullName };
        foreach (var arg in args) start.ArgumentList.Add(Fill(arg));
        var server = new RealServer(Process.Start(start)!, directory, address);
        await Eventually.TrueAsync(() => Accepts(address), $"{program} listens", 15_000);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _directory.Delete(recursive: true);
    }

    private static bool Accepts(IPEndPoint address)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(address);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

/// <summary>A test that is skipped where a program is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FactWithAttribute : FactAttribute
{
    public FactWithAttribute(string program)
    {
        if (RealServer.Find(program) is null) Skip = $"{program} is not installed";
    }
}
