namespace Mesh.Gateway.Hosting;

/// <summary>Options from appsettings.json, the environment and the command line, the later winning.</summary>
internal static class CommandLine
{
    private const string Peer = "--peer";

    private static readonly Dictionary<string, string> Switches = new(StringComparer.OrdinalIgnoreCase)
    {
        ["--manifests"] = "Mesh:Manifests",
        ["--region"] = "Mesh:Region",
        ["--peers-at"] = "Mesh:Federation:Listen",
        ["--bind"] = "Mesh:BindAddress",
        ["--admin"] = "Mesh:AdminAddress",
        ["--simulate"] = "Mesh:Simulate",
        ["--state"] = "Mesh:StateDirectory",
    };

    public const string Help = """
        Mesh gateway. Without options: the quick start on http://127.0.0.1:8080, with simulated endpoints.

          --manifests DIR          a directory with one folder of manifests for each cluster
          --region NAME            region that is served; all of them by default
          --demo regions           three regions on this machine with delays between them; nothing else is needed
          --peer NAME=URL          a peer region, by its federation listener; may be given more than once
          --peers-at IP:PORT       federation listener of this gateway, for its peers alone
          --bind IP                address of the listeners; 127.0.0.1 by default
          --admin IP:PORT          /metrics, /mesh/v1/decisions, /api/v1/... , /healthz and /readyz there instead of at the listeners
          --state DIR              what must outlive a restart: drains; by default a directory of this gateway's own
          --simulate true|false    simulated vLLM servers at the addresses of the manifests
          --Mesh:Listeners:80=IP:PORT   where the listener for port 80 is opened; 8080 by default
          --Mesh:NAME=VALUE        any other option: see gateway/Mesh.Gateway/README.md

        The environment (Mesh__Region=...) and appsettings.json in the working directory say the same.
        """;

    /// <summary>Each <c>--peer NAME=URL</c> as the option that it stands for: a switch can be given once only, and there may be many peers.</summary>
    private static string[] Peers(string[] args)
    {
        var all = new List<string>(args.Length);
        for (var i = 0; i < args.Length; i++)
        {
            var isSplit = args[i] == Peer && i + 1 < args.Length;
            var value = isSplit ? args[++i] : args[i].StartsWith("--peer=", StringComparison.Ordinal) ? args[i]["--peer=".Length..] : null;
            if (value is null)
            {
                all.Add(args[i]);
                continue;
            }

            var equals = value.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) throw new GatewayConfigurationException($"--peer is '{value}'; expected NAME=URL, for example --peer us-east4=http://10.0.0.1:9100.");
            all.Add($"--Mesh:Peers:{value[..equals]}:Url={value[(equals + 1)..]}");
        }

        return [.. all];
    }

    /// <summary>Refuses what would be passed over: behind a switch that was mistyped another gateway would start than the one that was meant.</summary>
    private static void Check(string[] args)
    {
        for (var i = 0; i < args.Length; i++)
        {
            var equals = args[i].IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? args[i] : args[i][..equals];
            if (!IsKnown(name)) throw new GatewayConfigurationException($"'{name}' is no option; {Closest(name)}--help lists what there is.");
            if (equals >= 0) continue;
            if (++i == args.Length) throw new GatewayConfigurationException($"{name} has no value; expected {name}=VALUE.");
        }
    }

    // What begins with Silo: belongs to the silo's process, which reads the same command line.
    private static bool IsKnown(string name) => Switches.ContainsKey(name) || name == Peer
        || name.TrimStart('-', '/') is var key && (key.StartsWith("Mesh:", StringComparison.OrdinalIgnoreCase) || key.StartsWith("Silo:", StringComparison.OrdinalIgnoreCase));

    private static string Closest(string name)
    {
        if (name == "--demo") return "there is --demo regions, which stands alone; ";
        foreach (var known in Switches.Keys.Append(Peer).Order(StringComparer.Ordinal))
        {
            if (name.Length > 3 && (known.StartsWith(name, StringComparison.OrdinalIgnoreCase) || name.StartsWith(known, StringComparison.OrdinalIgnoreCase))) return $"is {known} meant? ";
        }

        return "";
    }

    /// <summary>Names of options that the binder did not find, out of its message; null when that is not what it says.</summary>
    private static string? UnknownIn(string message)
    {
        const string before = "properties were not found on the instance of ";
        if (message.IndexOf(before, StringComparison.Ordinal) is not (>= 0 and var at)) return null;
        var names = message.IndexOf(": ", at, StringComparison.Ordinal);
        return names < 0 ? null : message[(names + 2)..];
    }

    public static bool AsksForHelp(string[] args) => args.Contains("--help") || args.Contains("-h");

    /// <exception cref="GatewayConfigurationException">An option cannot be read or is out of its range; the message names all of them.</exception>
    public static GatewayOptions Read(string[] args)
    {
        var own = Peers(args);
        Check(own);
        try
        {
            var configuration = new ConfigurationBuilder()
                .AddJsonFile(Path.Combine(Directory.GetCurrentDirectory(), "appsettings.json"), optional: true)
                .AddEnvironmentVariables()
                .AddCommandLine(own, Switches)
                .Build();
            var section = configuration.GetSection(GatewayOptions.Section);
            var options = section.Get<GatewayOptions>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new GatewayOptions();
            var result = new GatewayOptionsValidator().Validate(null, options);
            return result.Failed ? throw new GatewayConfigurationException(string.Join('\n', result.Failures)) : options;
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or InvalidDataException)
        {
            if (UnknownIn(e.Message) is { } unknown) throw new GatewayConfigurationException($"There is no option {unknown} in Mesh:...; gateway/Mesh.Gateway/README.md lists what there is.", e);
            throw new GatewayConfigurationException(e.InnerException is { } inner ? $"{e.Message} {inner.Message}" : e.Message, e);
        }
    }
}
