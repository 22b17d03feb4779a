using System.Diagnostics;

namespace Mesh.Gateway.Tests.Telemetry;

/// <summary>Prometheus' own checker, of Debian's package <c>prometheus</c>.</summary>
internal static class Promtool
{
    public static string? FileName { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(p => Path.Combine(p, "promtool")).FirstOrDefault(File.Exists);

    /// <summary>Runs it; its exit code and all that it wrote.</summary>
    public static async Task<(int Code, string Output)> RunAsync(string? input, params string[] args)
    {
        var start = new ProcessStartInfo(FileName!) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var arg in args) start.ArgumentList.Add(arg);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return (process.ExitCode, await output + await error);
    }
}

/// <summary>A test that needs promtool and says so where it is missing.</summary>
internal sealed class PromtoolFactAttribute : FactAttribute
{
    public PromtoolFactAttribute()
    {
        if (Promtool.FileName is null) Skip = "promtool is not installed (Debian: apt-get install prometheus).";
    }
}
