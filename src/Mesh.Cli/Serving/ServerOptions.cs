using System.CommandLine;
using Mesh.Cli.Output;
using Mesh.Cli.Serving.Contexts;
using Mesh.Resources.Reading;

namespace Mesh.Cli.Serving;

/// <summary>
/// Which gateway a command asks: <c>--server</c>, else <c>--context</c>, else <c>MESH_SERVER</c>, else <c>MESH_CONTEXT</c>, else the current context, else this machine. The key is
/// that of <c>MESH_KEY</c>, else the context's.
/// </summary>
internal sealed class ServerOptions
{
    /// <summary>Environment variable that names the server.</summary>
    public const string Variable = "MESH_SERVER";

    /// <summary>Environment variable that names the context.</summary>
    public const string ContextVariable = "MESH_CONTEXT";

    /// <summary>Environment variable with the key that is sent.</summary>
    public const string KeyVariable = "MESH_KEY";

    private const string Example = "http://127.0.0.1:9090";

    // Where a gateway of this machine has its administrative address by habit, and where the quick start listens.
    private static readonly Uri[] Defaults = [new(Example), new("http://127.0.0.1:8080")];

    private readonly ToolConsole _console;
    private readonly Option<string?> _server;
    private readonly Option<string?> _context;

    private ServerOptions(ToolConsole console)
    {
        _console = console;
        _server = new Option<string?>("--server")
        {
            Description = $"Administrative address of the gateway (Mesh:AdminAddress), or a listener of one that has none; {Variable} says the same. Default: {Example}, else http://127.0.0.1:8080.",
            HelpName = "URL",
        };
        _server.Validators.Add(result =>
        {
            var url = result.GetValueOrDefault<string?>();
            if (!IsAddress(url, out _)) result.AddError($"Option --server is {url}; it must be a URL such as {Example}.");
        });
        _context = new Option<string?>("--context") { Description = $"Context to use, of mesh config; {ContextVariable} says the same.", HelpName = "NAME" };
        _context.CompletionSources.Add(_ => Contexts().Select(c => c.Name));
    }

    /// <summary>The options, added to a command.</summary>
    public static ServerOptions AddTo(Command command, ToolConsole console)
    {
        var options = new ServerOptions(console);
        command.Options.Add(options._server);
        command.Options.Add(options._context);
        return options;
    }

    /// <summary>The server that a command line means; null when it cannot be told, which has then been told of.</summary>
    public AdminServer? Find(ParseResult arguments) => Find(arguments, out _);

    /// <summary>As <see cref="Find(ParseResult)"/>, with the context's namespace; null for all.</summary>
    public AdminServer? Find(ParseResult arguments, out string? space)
    {
        space = null;
        var key = _console.Environment(KeyVariable) is { Length: > 0 } given ? given : null;
        if (arguments.GetValue(_server) is { } url) return At(url, key);
        var named = arguments.GetValue(_context);
        if (named is null && _console.Environment(Variable) is { Length: > 0 } server) return At(server, key);
        var file = ContextFile.Read(_console.Environment, out var problems);
        if (problems.Count > 0)
        {
            _console.Problem(problems[0].ToString(), $"mend {file.Path}, or name the server: --server URL");
            return null;
        }

        var name = named ?? (_console.Environment(ContextVariable) is { Length: > 0 } variable ? variable : file.CurrentContext);
        if (name is null) return new AdminServer(_console, Defaults, key);
        if (file.Find(name) is not { } context)
        {
            Unknown(_console, file, name);
            return null;
        }

        space = context.Namespace;
        if (!IsAddress(context.Server, out _))
        {
            _console.Problem($"Context {name} has the server {context.Server}, which is no URL", $"mesh config set-context {name} --server URL");
            return null;
        }

        return KeyOf(context, ref key) ? At(context.Server, key) : null;
    }

    /// <summary>Tells that there is no such context.</summary>
    public static void Unknown(ToolConsole console, ContextFile file, string name)
    {
        var names = file.Contexts.Select(c => c.Name).ToList();
        var nearest = NearestName.Of(name, names);
        console.Problem(
            $"There is no context {name}{(nearest is null ? "" : $"; did you mean {nearest}?")}",
            names.Count == 0 ? "make one: mesh config set-context NAME --server URL" : $"contexts are {string.Join(", ", names)}");
    }

    /// <summary>True for a URL that a gateway can be at.</summary>
    public static bool IsAddress(string? text, out Uri? address) =>
        Uri.TryCreate(text, UriKind.Absolute, out address) && address.Scheme is "http" or "https" && address!.Host.Length > 0;

    private AdminServer? At(string url, string? key)
    {
        if (IsAddress(url, out var address)) return new AdminServer(_console, [address!], key);
        _console.Problem($"{Variable} is {url}, which is no URL", $"write one such as {Example}");
        return null;
    }

    private bool KeyOf(ContextEntry context, ref string? key)
    {
        if (key is not null) return true;
        if (context.KeyEnv is { } variable) key = _console.Environment(variable) is { Length: > 0 } value ? value : null;
        if (key is not null || context.KeyFile is not { } path) return true;
        try
        {
            key = File.ReadAllText(path).Trim();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _console.Problem($"The key file of context {context.Name} cannot be read: {e.Message}", $"mesh config set-context {context.Name} --key-file FILE");
            return false;
        }
    }

    private IReadOnlyList<ContextEntry> Contexts()
    {
        try
        {
            return ContextFile.Read(_console.Environment, out _).Contexts;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
