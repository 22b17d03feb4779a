using System.Diagnostics;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Tests;

/// <summary>Commands that the pages show begin with <c>dotnet run --project</c> and name paths from where they are typed.</summary>
public sealed class RunFromSourceTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("gateway/Mesh.Gateway")]
    [InlineData("silos/Mesh.Silo")]
    public async Task DotnetRun_RelativePaths_CountFromWhereItIsTyped(string project)
    {
        var root = Path.GetFullPath(Path.Combine(QuickStart.Find(Path.Combine("deploy", "examples", "quickstart"))!, "..", "..", ".."));
        var folder = Directory.CreateTempSubdirectory("mesh-run-").FullName;
        try
        {
            var start = new ProcessStartInfo("dotnet", ["msbuild", Path.Combine(root, project), "-getProperty:RunWorkingDirectory", "-nodeReuse:false"])
            {
                WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
            };
            using var process = Process.Start(start)!;
            using var late = new CancellationTokenSource(Limit);
            var told = await process.StandardOutput.ReadToEndAsync(late.Token);
            await process.WaitForExitAsync(late.Token);
            Assert.Equal((0, folder), (process.ExitCode, told.Trim()));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
