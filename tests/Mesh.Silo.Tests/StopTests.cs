using Mesh.Testing.Net;

namespace Mesh.Silo.Tests;

/// <summary>A silo that is told to stop ends, whatever else is there.</summary>
public sealed class StopTests : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(120);
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mesh-stop-tests");

    [RegionFact]
    public async Task Stop_RedisIsGone_EndsByItselfAndSaysWhy()
    {
        var port = FreePorts.Next();
        RegionManifests.Write(_directory.FullName, FreePorts.Next(), "127.67.1.");
        using var redis = OwnProcess.Start("redis", "redis-server", ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", _directory.FullName]);
        using var silo = OwnProcess.Start("silo", "dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "Mesh.Silo.dll"), "--manifests", _directory.FullName, $"--Silo:Redis=127.0.0.1:{port}", "--Silo:Role=Silo",
            $"--Silo:Port={FreePorts.Next()}", $"--Silo:GatewayPort={FreePorts.Next()}", "--Silo:StopTimeout=00:00:02",
        ]);
        var began = TimeProvider.System.GetTimestamp();
        while (!silo.Output.Contains("silos by Redis", StringComparison.Ordinal))
        {
            Assert.True(!silo.HasExited && TimeProvider.System.GetElapsedTime(began) < StartLimit, silo.Output);
            await Task.Delay(50);
        }

        redis.Kill();

        await silo.StopAsync();

        Assert.Contains($"Not stopped within 2 s (Silo:StopTimeout); is Redis at 127.0.0.1:{port} there?", silo.Output, StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
