using System.CommandLine;
using Mesh.Cli.Explaining;
using Mesh.Cli.Output;
using Mesh.Resources;
using Mesh.Resources.Effective;
using Mesh.Resources.Reading;

namespace Mesh.Cli.Commands;

/// <summary><c>mesh explain DIR --pool P</c>: what holds for each backend of a pool, and where it is written. Beside it <c>mesh explain request ID</c>; a directory named request is written <c>./request</c>.</summary>
internal static class ExplainCommand
{
    public static Command Create(ToolConsole console)
    {
        var directory = new Argument<string>("DIR") { Description = "Directory with one folder of manifests for each cluster." };
        var pool = new Option<string>("--pool")
        {
            Description = "Pool to explain; the namespace may be left out where it is not in doubt.",
            HelpName = "[NS/]POOL",
            Required = true,
        };
        var cluster = new Option<string?>("--cluster") { Description = "Explain this cluster's backends alone.", HelpName = "CLUSTER" };
        var output = OutputOption.Create();
        const string Summary = "Show what holds for each backend of a pool, where it is written, and its capacity by formula.";
        var command = new Command("explain", Summary) { directory, pool, cluster, output, ExplainRequestCommand.Create(console) };
        command.SetAction(arguments => Run(
            console, arguments.GetRequiredValue(directory), arguments.GetRequiredValue(pool), arguments.GetValue(cluster),
            OutputOption.Read(arguments, output)));
        return command;
    }

    private static int Run(ToolConsole console, string directory, string poolName, string? cluster, OutputFormat format)
    {
        if (Manifests.Load(console, directory) is not { } result) return ExitCodes.Failed;
        if (Find(console, result, poolName) is not { } pool) return ExitCodes.Failed;
        if (cluster is not null && !HasCluster(console, result, pool, cluster)) return ExitCodes.Failed;
        var explanation = new Explainer(result, pool).Explain(cluster);
        if (format == OutputFormat.Json) JsonText.Write(console, explanation);
        else new ExplanationText(console, directory, explanation).Write();
        return ExitCodes.Done;
    }

    private static EffectivePool? Find(ToolConsole console, LoadResult result, string name)
    {
        var found = result.Effective.Where(p => name.Contains('/') ? p.Id.ToString() == name : p.Id.Name == name).ToList();
        if (found.Count == 1) return found[0];
        var names = result.Effective.Select(p => p.Id.ToString()).ToList();
        if (found.Count > 1)
        {
            console.Problem(
                $"There are {found.Count} pools of the name {name}",
                $"name the namespace too: --pool {string.Join(" or --pool ", found.Select(p => p.Id.ToString()))}");
        }
        else if (result.Statuses.FirstOrDefault(
            s => s.Kind == "InferencePool" && (s.Name == name || $"{s.Namespace}/{s.Name}" == name)) is { } hidden)
        {
            console.Problem(
                $"InferencePool {hidden.Namespace}/{hidden.Name} of {hidden.Cluster} is not exported, so there is no import of that name",
                $"set the annotation networking.gke.io/export: \"True\" in {hidden.File}:{hidden.Line}");
        }
        else
        {
            var nearest = NearestName.Of(name, names) ?? NearestName.Of(name, result.Effective.Select(p => p.Id.Name));
            console.Problem(
                $"There is no pool {name}{(nearest is null ? "" : $"; did you mean {nearest}?")}",
                names.Count == 0
                    ? "export an InferencePool: annotation networking.gke.io/export: \"True\""
                    : $"pools are {string.Join(", ", names)}");
        }

        return null;
    }

    private static bool HasCluster(ToolConsole console, LoadResult result, EffectivePool pool, string cluster)
    {
        var own = pool.Backends.Select(b => b.Id.Cluster).Distinct().ToList();
        if (own.Contains(cluster)) return true;
        var known = result.Config!.Clusters.Any(c => c.Name == cluster);
        var nearest = known ? null : NearestName.Of(cluster, result.Config.Clusters.Select(c => c.Name));
        console.Problem(
            known
                ? $"Pool {pool.Id} has no backend in cluster {cluster}"
                : $"There is no cluster {cluster}{(nearest is null ? "" : $"; did you mean {nearest}?")}",
            own.Count == 0 ? "the pool has no backend at all: see mesh validate" : $"clusters of the pool are {string.Join(", ", own)}");
        return false;
    }
}
