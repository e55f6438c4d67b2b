import java.util.HashMap;
import java.util.Map;
import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One OpenSearch node in this process: {@code Node FOLDER PLUGINS name=value…}. */
public class Node {
    public static void main(String[] arguments) throws Exception {
        Map<String, String> settings = new HashMap<>();
        for (int i = 2; i < arguments.length; i++) {
            String[] pair = arguments[i].split("=", 2);
            settings.put(pair[0], pair[1]);
        }
        OpenSearchRunner runner = new OpenSearchRunner();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(runner)));
        runner.onBuild((number, builder) -> settings.forEach(builder::put));
        runner.build(OpenSearchRunner.newConfigs().basePath(arguments[0]).numOfNode(1)
                .clusterName(settings.get("cluster.name")).pluginTypes(arguments[1]));
        while (System.in.read() >= 0) {
            continue;  // until whoever started this node is gone
        }
        System.exit(0);
    }

    private static void close(OpenSearchRunner runner) {
        try {
            runner.close();
        } catch (Exception e) {
            e.printStackTrace();
        }
    }
}
