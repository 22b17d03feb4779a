using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Live;

public sealed class ContextTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string> _environment = [];

    public ContextTests() => _environment["MESH_CONFIG"] = File;

    private string File => Path.Combine(_folder.Path, "mesh", "config.yaml");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Contexts_MadeUsedAndDeleted()
    {
        Assert.Equal((0, "Context a made; it is current.\n"), Told(await RunAsync("config", "set-context", "a", "--server", "http://a:9090", "-n", "team")));
        Assert.Equal((0, "Context b made.\n"), Told(await RunAsync("config", "set-context", "b", "--server", "https://b", "--key-env", "B_KEY")));
        Assert.Equal((0, "Context b is current: https://b\n"), Told(await RunAsync("config", "use-context", "b")));
        Assert.Equal((0, "b\n"), Told(await RunAsync("config", "current-context")));
        Assert.Equal((0, "Context a changed.\n"), Told(await RunAsync("config", "set-context", "a", "--namespace", "")));
        Assert.Equal("CURRENT   NAME   SERVER          KEY      NAMESPACE\n          a      http://a:9090   -        -\n*         b      https://b       $B_KEY   -\n", (await RunAsync("config", "get-contexts")).Output);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        Assert.Contains("currentContext: \"b\"", (await RunAsync("config", "view")).Output, StringComparison.Ordinal);
        Assert.Equal((0, "Context b is gone.\n"), Told(await RunAsync("config", "delete-context", "b")));
        Assert.Equal((1, ""), Told(await RunAsync("config", "current-context")));
    }

    [Fact]
    public async Task Server_IsFoundInTheOrderThatIsDocumented()
    {
        await using var a = LiveServer.WithMesh();
        await using var b = LiveServer.WithMesh();
        await using var c = LiveServer.WithMesh();
        await RunAsync("config", "set-context", "a", "--server", a.Url);
        await RunAsync("config", "set-context", "b", "--server", b.Url);
        await RunAsync("get", "pools");
        Assert.Equal((1, 0, 0), Asked());
        _environment["MESH_CONTEXT"] = "b";
        await RunAsync("get", "pools");
        Assert.Equal((1, 1, 0), Asked());
        _environment["MESH_SERVER"] = c.Url;
        await RunAsync("get", "pools");
        Assert.Equal((1, 1, 1), Asked());
        await RunAsync("get", "pools", "--context", "a");
        Assert.Equal((2, 1, 1), Asked());
        await RunAsync("get", "pools", "--context", "a", "--server", b.Url);
        Assert.Equal((2, 2, 1), Asked());

        (int, int, int) Asked() => (a.Asked.Count, b.Asked.Count, c.Asked.Count);
    }

    [Fact]
    public async Task Key_OfTheContext_GoesToItsServerAlone()
    {
        await using var own = LiveServer.WithMesh();
        await using var other = LiveServer.WithMesh();
        var key = Path.Combine(_folder.Path, "key");
        await System.IO.File.WriteAllTextAsync(key, "mesh_secret\n");
        await RunAsync("config", "set-context", "a", "--server", own.Url, "--key-file", key);
        await RunAsync("get", "pools");
        await RunAsync("get", "pools", "--server", other.Url);
        Assert.Contains("Authorization: Bearer mesh_secret\r\n", own.Requests.Single().Head + "\r\n", StringComparison.Ordinal);
        Assert.DoesNotContain("Authorization", other.Requests.Single().Head, StringComparison.Ordinal);
        _environment["MESH_KEY"] = "mesh_mine";
        await RunAsync("get", "pools");
        Assert.Contains("Bearer mesh_mine", own.Requests.Last().Head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Namespace_OfTheContext_LimitsLists_UnlessAll()
    {
        await using var server = LiveServer.WithMesh();
        await RunAsync("config", "set-context", "a", "--server", server.Url, "-n", "other");
        Assert.Equal("No pools in namespace other.\n", (await RunAsync("get", "pools")).Error);
        Assert.Contains("default/llama", (await RunAsync("get", "pools", "-A")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config use-context prdo", "There is no context prdo; did you mean prod?", "contexts are prod")]
    [InlineData("get pools --context other", "There is no context other", "contexts are prod")]
    [InlineData("config set-context new", "Context new is new and needs an address", "mesh config set-context new --server")]
    public async Task UnknownContext_NamesTheNearest(string arguments, string message, string next)
    {
        await RunAsync("config", "set-context", "prod", "--server", "http://127.0.0.1:1");
        var run = await RunAsync(arguments.Split(' '));
        Assert.Equal((1, ""), Told(run));
        Assert.StartsWith($"error: {message}", run.Error, StringComparison.Ordinal);
        Assert.Contains($"next: {next}", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BrokenFile_IsToldWithItsLine()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        await System.IO.File.WriteAllTextAsync(File, "contexts:\n- name: a\n  sever: http://a\n");
        var run = await RunAsync("get", "pools");
        Assert.Equal((1, ""), Told(run));
        Assert.Contains("config.yaml:", run.Error, StringComparison.Ordinal);
        Assert.Contains("next: mend", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MissingKeyFile_IsTold()
    {
        await RunAsync("config", "set-context", "a", "--server", "http://127.0.0.1:1", "--key-file", Path.Combine(_folder.Path, "gone"));
        var run = await RunAsync("get", "pools");
        Assert.Contains("The key file of context a cannot be read", run.Error, StringComparison.Ordinal);
    }

    private static (int, string) Told(ToolRun run) => (run.ExitCode, run.Output);

    private Task<ToolRun> RunAsync(params string[] arguments) => ToolRun.WithAsync(_environment, arguments);
}
