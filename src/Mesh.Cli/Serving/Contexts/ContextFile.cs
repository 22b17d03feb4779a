using System.Text;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Cli.Serving.Contexts;

/// <summary>A gateway that has a name: where it is, and where its key is. The key itself never stands here.</summary>
internal sealed record ContextEntry
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Administrative address.</summary>
    public required string Server { get; init; }

    /// <summary>File with the key; null without one.</summary>
    public string? KeyFile { get; init; }

    /// <summary>Environment variable with the key; null without one.</summary>
    public string? KeyEnv { get; init; }

    /// <summary>Namespace that commands look at unless -n or -A says otherwise; null for all.</summary>
    public string? Namespace { get; init; }
}

/// <summary>The file of contexts: <c>MESH_CONFIG</c>, else <c>mesh/config.yaml</c> under <c>XDG_CONFIG_HOME</c> or <c>~/.config</c>. Immutable.</summary>
internal sealed record ContextFile
{
    /// <summary>Environment variable that names the file.</summary>
    public const string Variable = "MESH_CONFIG";

    /// <summary>Where it is; null without a home.</summary>
    public string? Path { get; private init; }

    /// <summary>Context that holds unless another is named; null without one.</summary>
    public string? CurrentContext { get; init; }

    /// <summary>All of them, by name.</summary>
    public IReadOnlyList<ContextEntry> Contexts { get; init; } = [];

    /// <summary>The context of a name; null without one.</summary>
    public ContextEntry? Find(string name) => Contexts.FirstOrDefault(c => c.Name == name);

    /// <summary>Where the file is by the environment; null without a home.</summary>
    public static string? PathIn(Func<string, string?> environment)
    {
        if (environment(Variable) is { Length: > 0 } named) return named;
        if (environment("XDG_CONFIG_HOME") is { Length: > 0 } config) return System.IO.Path.Combine(config, "mesh", "config.yaml");
        return environment("HOME") is { Length: > 0 } home ? System.IO.Path.Combine(home, ".config", "mesh", "config.yaml") : null;
    }

    /// <summary>Reads the file; empty where there is none.</summary>
    /// <param name="environment">Environment.</param>
    /// <param name="problems">What is wrong with it, each with file and line.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static ContextFile Read(Func<string, string?> environment, out IReadOnlyList<Diagnostic> problems)
    {
        problems = [];
        var path = PathIn(environment);
        if (path is null || !File.Exists(path)) return new ContextFile { Path = path };
        var report = new DiagnosticBag();
        var documents = YamlReader.Read(path, File.ReadAllText(path), report);
        var file = new ContextFile { Path = path };
        if (!report.HasErrors && documents is [{ Root: YamlMapping root } document])
        {
            var reader = new ObjectReader(root, new Spot(path, document.Index, "", root.Line, root.Column), report);
            file = file with
            {
                CurrentContext = reader.String("currentContext")?.Value,
                Contexts = [.. reader.List("contexts", Entry, 0, 1000).DistinctBy(c => c.Name)],
            };
            reader.Done();
        }

        problems = [.. report.Sorted().Where(d => d.Severity == Severity.Error)];
        return file;
    }

    /// <summary>Writes the file whole and moves it into place; only its owner may read it.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write()
    {
        if (Path is null) throw new IOException($"There is no home directory for the file of contexts; name one: {Variable}.");
        var text = new StringBuilder("# Contexts of mesh: mesh config --help\n");
        if (CurrentContext is not null) text.Append("currentContext: ").Append(Quoted(CurrentContext)).Append('\n');
        text.Append(Contexts.Count == 0 ? "contexts: []\n" : "contexts:\n");
        foreach (var context in Contexts.OrderBy(c => c.Name, StringComparer.Ordinal))
        {
            text.Append("  - name: ").Append(Quoted(context.Name)).Append('\n');
            text.Append("    server: ").Append(Quoted(context.Server)).Append('\n');
            if (context.KeyFile is not null) text.Append("    keyFile: ").Append(Quoted(context.KeyFile)).Append('\n');
            if (context.KeyEnv is not null) text.Append("    keyEnv: ").Append(Quoted(context.KeyEnv)).Append('\n');
            if (context.Namespace is not null) text.Append("    namespace: ").Append(Quoted(context.Namespace)).Append('\n');
        }

        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!);
        var next = Path + ".new";
        File.WriteAllText(next, text.ToString());
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(next, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(next, Path, overwrite: true);
    }

    private static string Quoted(string text) => System.Text.Json.JsonSerializer.Serialize(text);

    private static ContextEntry? Entry(ObjectReader r)
    {
        var name = r.String("name", required: true)?.Value;
        var server = r.String("server", required: true)?.Value;
        var (file, variable, space) = (r.String("keyFile")?.Value, r.String("keyEnv")?.Value, r.String("namespace")?.Value);
        return name is null || server is null ? null : new ContextEntry { Name = name, Server = server, KeyFile = file, KeyEnv = variable, Namespace = space };
    }
}
